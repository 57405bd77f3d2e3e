import { type Link, type SpanContext, SpanKind } from '@opentelemetry/api';
import type { InstrumentationScope } from '@opentelemetry/core';
import { ledger } from '../ledger.ts';
import { JOB_SCOPE } from '../scopes.ts';
import { ServerSpan } from './server-span.ts';

/** So many spans of a run are held; a run that makes more has something to do. */
const MAX_HELD = 100;

/** Runs of which it is not known yet whether they have anything to do, by trace. */
const undecided = new Map<string, JobSpan>();

/** Whether a run had anything to do; `undefined` where only what it did can tell. */
export type Verdict = boolean | undefined;

/**
 * The span of one run of a background job, the root of a trace. A run that looks for work and finds none must leave no
 * trace, which is known at its end only: until the first thing that counts as work, the spans below it are held. Those of
 * a run without any count as never begun.
 */
export class JobSpan extends ServerSpan {
  #held: (() => void)[] | undefined = [];
  #hadWork = false;

  constructor(name: string, context: SpanContext, links: Link[] | undefined) {
    super(name, context, undefined, links, true);
    ledger.spans.started++;
    undecided.set(context.traceId, this);
  }

  override get kind(): SpanKind {
    return SpanKind.INTERNAL;
  }

  override get scope(): InstrumentationScope {
    return JOB_SCOPE;
  }

  /** Takes an ended span below this one, by what hands it on; `isWork` decides that the run had something to do. */
  hold(handOn: () => void, isWork: boolean): void {
    this.#held?.push(handOn);
    if (isWork || (this.#held?.length ?? 0) > MAX_HELD) this.#decide(true);
  }

  /** Ends the span. Returns whether it is to be handed on, as the spans below it were or are by then. */
  conclude(hadWork: Verdict): boolean {
    this.end();
    if (this.#held !== undefined) this.#decide(hadWork ?? false);
    return this.#hadWork;
  }

  #decide(hadWork: boolean): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    this.#hadWork = hadWork;
    undecided.delete(this.context.traceId);
    if (hadWork) for (const handOn of held) handOn();
    else ledger.spans.withdrawn += held.length + 1;
  }
}

/** The run below which a span of this trace has to be held; `undefined` for requests, and once the run is decided. */
export function undecidedJobOf(traceId: string): JobSpan | undefined {
  return undecided.size === 0 ? undefined : undecided.get(traceId);
}
