import { defaultTextMapGetter, defaultTextMapSetter, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { expect } from 'chai';
import { propagatorsFromEnvironment } from '../../../src/core/telemetry/propagators.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const HEADERS = { traceparent: `00-${TRACE}-${SPAN}-01`, baggage: 'a=1', b3: `${TRACE}-${SPAN}-1` };

/** Which of a caller's headers are read under this value of OTEL_PROPAGATORS, and which are written. */
function handled(value: string | undefined) {
  const propagator = propagatorsFromEnvironment({ OTEL_PROPAGATORS: value });
  const { baggage, ...traces } = HEADERS;
  const read = Object.entries(traces).filter(
    ([name, header]) =>
      trace.getSpanContext(propagator.extract(ROOT_CONTEXT, { [name]: header }, defaultTextMapGetter))?.traceId ===
      TRACE,
  );
  const withBaggage = propagation.getBaggage(propagator.extract(ROOT_CONTEXT, { baggage }, defaultTextMapGetter));
  const written: Record<string, string> = {};
  const context = trace.setSpanContext(ROOT_CONTEXT, { traceId: TRACE, spanId: SPAN, traceFlags: 1 });
  propagator.inject(
    propagation.setBaggage(context, propagation.createBaggage({ a: { value: '1' } })),
    written,
    defaultTextMapSetter,
  );
  return {
    read: [...read.map(([name]) => name), ...(withBaggage === undefined ? [] : ['baggage'])],
    written: Object.keys(written),
  };
}

describe('OTEL_PROPAGATORS', () => {
  it('is trace context and baggage by default; baggage is never written by itself', () => {
    for (const value of [undefined, '', ' , ', 'tracecontext,baggage']) {
      expect(handled(value), String(value)).to.deep.equal({
        read: ['traceparent', 'baggage'],
        written: ['traceparent'],
      });
    }
  });

  it('reads and writes what it names', () => {
    expect(handled('tracecontext')).to.deep.equal({ read: ['traceparent'], written: ['traceparent'] });
    expect(handled('baggage')).to.deep.equal({ read: ['baggage'], written: [] });
    expect(handled('b3')).to.deep.equal({ read: ['b3'], written: ['b3'] });
    expect(handled('b3multi').written).to.deep.equal(['x-b3-traceid', 'x-b3-spanid', 'x-b3-sampled']);
    expect(handled('none')).to.deep.equal({ read: [], written: [] });
  });

  it('does without what it does not know', () => {
    expect(handled('xray, tracecontext')).to.deep.equal({ read: ['traceparent'], written: ['traceparent'] });
  });
});
