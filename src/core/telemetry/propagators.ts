import { type Context, diag, type TextMapGetter, type TextMapPropagator } from '@opentelemetry/api';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import { B3InjectEncoding, B3Propagator } from '@opentelemetry/propagator-b3';

const MAKERS: Readonly<Record<string, () => TextMapPropagator>> = {
  tracecontext: () => new W3CTraceContextPropagator(),
  baggage: () => new IncomingBaggagePropagator(),
  b3: () => new B3Propagator(),
  b3multi: () => new B3Propagator({ injectEncoding: B3InjectEncoding.MULTI_HEADER }),
};

/**
 * The propagators that `OTEL_PROPAGATORS` names, `tracecontext,baggage` by default, as the OpenTelemetry specification
 * has it: `none` is none, an unknown name is warned of and left out. Baggage is only read by it; see `sendBaggage`.
 */
export function propagatorsFromEnvironment(
  env: Readonly<Record<string, string | undefined>> = process.env,
): TextMapPropagator {
  const given = (env['OTEL_PROPAGATORS'] ?? '').split(',').map((name) => name.trim());
  const named = new Set(given.filter((name) => name !== ''));
  const names = named.size === 0 ? ['tracecontext', 'baggage'] : named.has('none') ? [] : [...named];
  const propagators = names.flatMap((name) => {
    const make = MAKERS[name];
    if (make !== undefined) return [make()];
    diag.warn(`OTEL_PROPAGATORS has ${name}, which is none of ${Object.keys(MAKERS).join(', ')}, none`);
    return [];
  });
  return new CompositePropagator({ propagators });
}

/** How much of a caller's baggage is carried on, in bytes; members beyond that are dropped. */
const MAX_BAGGAGE = 2_048;

const OWS = '[ \\t]*';
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const VALUE = '[\\x21\\x23-\\x2b\\x2d-\\x3a\\x3c-\\x5b\\x5d-\\x7e]*';
const PROPERTY = `;${OWS}${TOKEN}${OWS}(?:=${OWS}${VALUE}${OWS})?`;
/** One member of the header (W3C Baggage §3.3.1). Linear: what follows a repetition is not in it. */
const MEMBER = new RegExp(`^${OWS}${TOKEN}${OWS}=${OWS}${VALUE}${OWS}(?:${PROPERTY})*$`);

/**
 * Reads W3C Baggage, as far as it is well formed and fits, and writes none: what callers say goes to named hosts alone,
 * and a propagator does not know for whom it writes.
 */
class IncomingBaggagePropagator implements TextMapPropagator {
  readonly #w3c = new W3CBaggagePropagator();

  inject(): void {}

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const given = getter.get(carrier, 'baggage');
    if (given === undefined) return context;
    const header = fitting(Array.isArray(given) ? given.join(',') : given);
    return this.#w3c.extract(context, header, { get: () => header, keys: () => ['baggage'] });
  }

  fields(): string[] {
    return ['baggage'];
  }
}

function fitting(header: string): string {
  // A member that the limit cuts in two is none.
  const end = header.length <= MAX_BAGGAGE ? header.length : header.lastIndexOf(',', MAX_BAGGAGE);
  return header
    .slice(0, Math.max(0, end))
    .split(',')
    .filter((member) => MEMBER.test(member))
    .join(',');
}
