import { randomUUID } from 'node:crypto';
import { type SpanContext, SpanKind, TraceFlags, trace } from '@opentelemetry/api';
import { type Sampler, SamplingDecision } from '@opentelemetry/sdk-trace';
import { type Expiring, ExpiringMap } from '../expiring-map.ts';

/** Which requests a route takes, by method and path. */
export type RouteMatch = (method: string, path: string) => boolean;

/** What is sampled for a while, whatever the ratio. */
export type Boost = { readonly route: string; readonly matches: RouteMatch } | { readonly userId: string };

/** On the server spans that are sampled for a boost: `route` or `user`. */
export const BOOST_ATTRIBUTE = 'okapi.sampling.boost';

const MAX_BOOSTS = 50;
const BOOSTED = { decision: SamplingDecision.RECORD_AND_SAMPLED, attributes: { [BOOST_ATTRIBUTE]: 'route' } };
const AS_PARENT = { decision: SamplingDecision.RECORD_AND_SAMPLED };

/** Routes and users whose requests are sampled for a while. */
export class SamplingBoosts {
  readonly #boosts: ExpiringMap<Boost>;
  #routes: readonly RouteMatch[] = [];
  #users: ReadonlySet<string> = new Set();

  constructor() {
    this.#boosts = new ExpiringMap(MAX_BOOSTS, () => {
      const boosts = this.list().map(({ value }) => value);
      this.#routes = boosts.flatMap((boost) => ('route' in boost ? [boost.matches] : []));
      this.#users = new Set(boosts.flatMap((boost) => ('userId' in boost ? [boost.userId] : [])));
    });
  }

  /** Whether `set` would take it: there is room, or the same route or user has one. */
  hasRoomFor(boost: Boost): boolean {
    return this.#boosts.hasRoomFor(this.#keyOf(boost));
  }

  /** Samples for `seconds`; where the route or user has a boost already, that one lasts so long. `undefined`: no room. */
  set(boost: Boost, seconds: number): Expiring<Boost> | undefined {
    return this.#boosts.set(this.#keyOf(boost), boost, seconds);
  }

  get(id: string): Expiring<Boost> | undefined {
    return this.#boosts.get(id);
  }

  /** Ends it before its time. Whether there was one. */
  remove(id: string): boolean {
    return this.#boosts.delete(id);
  }

  list(): Expiring<Boost>[] {
    return [...this.#boosts.values()];
  }

  coversRequest(method: string, path: string): boolean {
    return this.#routes.some((matches) => matches(method, path));
  }

  coversUser(userId: string): boolean {
    return this.#users.has(userId);
  }

  #keyOf(boost: Boost): string {
    return this.list().find(({ value }) => targetOf(value) === targetOf(boost))?.key ?? randomUUID();
  }
}

function targetOf(boost: Boost): string {
  return 'route' in boost ? boost.route : boost.userId;
}

/**
 * Decides as `sampler` does, but samples the server spans of boosted routes where their trace begins here; a trace that
 * is continued stays as its caller decided. What hangs under a span of ours that is sampled is sampled too, which a
 * sampler that follows no parent would decide otherwise for a boosted one.
 */
export function withBoosts(sampler: Sampler, boosts: SamplingBoosts): Sampler {
  return {
    shouldSample(context, traceId, name, kind, attributes, links) {
      const parent = trace.getSpanContext(context);
      if (parent === undefined) {
        const { 'http.request.method': method, 'url.path': path } = attributes;
        if (kind === SpanKind.SERVER && boosts.coversRequest(String(method), String(path))) return BOOSTED;
      } else if (isSampledHere(parent)) {
        return AS_PARENT;
      }
      return sampler.shouldSample(context, traceId, name, kind, attributes, links);
    },
    toString: () => `Boosted{${sampler.toString()}}`,
  };
}

function isSampledHere({ isRemote, traceFlags }: SpanContext): boolean {
  return isRemote !== true && (traceFlags & TraceFlags.SAMPLED) !== 0;
}
