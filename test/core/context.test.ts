import { context, createContextKey, trace } from '@opentelemetry/api';
import { expect } from 'chai';
import { Carrier, contextWith, currentCarrier, requestIdCtx, userIdCtx } from '../../src/core/context.ts';

describe('the context of a request', () => {
  const span = trace.wrapSpanContext({ traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 });

  it('holds the carrier and the span, also under values that others put on top', () => {
    const carrier = new Carrier();
    const key = createContextKey('other');
    const made = contextWith(carrier, span).setValue(key, 'value');
    context.with(made, () => {
      expect(currentCarrier()).to.equal(carrier);
      expect(trace.getActiveSpan()).to.equal(span);
      expect(context.active().getValue(key)).to.equal('value');
    });
    expect(trace.getSpan(made.deleteValue(key))).to.equal(span);
  });

  it('shows the span below it when it has none of its own', () => {
    expect(trace.getSpan(contextWith(new Carrier(), undefined, contextWith(new Carrier(), span)))).to.equal(span);
  });

  it('lets outer layers see what inner ones learn, and keeps a thousand requests apart', async () => {
    const seen = await Promise.all(
      Array.from({ length: 1000 }, (_, index) => {
        const carrier = new Carrier();
        carrier.requestId = `request ${index}`;
        return context.with(contextWith(carrier, span), async () => {
          await new Promise((resolve) => setImmediate(resolve));
          carrier.userId = `user ${index}`;
          await Promise.resolve();
          return `${requestIdCtx.get()} ${userIdCtx.get()}`;
        });
      }),
    );
    expect(seen).to.deep.equal(seen.map((_, index) => `request ${index} user ${index}`));
  });

  it('tells all who listen that the deadline has passed, and nobody who has stopped listening', () => {
    const carrier = new Carrier();
    const told: number[] = [];
    const stops = [0, 1, 2, 3, 4].map((which) => carrier.onAbort(() => told.push(which)));
    stops[0]?.();
    stops[2]?.();
    stops[2]?.();
    carrier.onAbort(() => told.push(5));
    carrier.abort(new Error('too late'));
    expect(told.sort()).to.deep.equal([1, 3, 4, 5]);
    expect(carrier.signal.aborted).to.equal(true);
  });

  it('counts what was spent by the request alone, from nothing', () => {
    const [one, other] = [new Carrier(), new Carrier()];
    one.spending.postgresMs += 1.5;
    one.spending.postgresStatements++;
    expect(one.spent).to.include({ postgresMs: 1.5, postgresStatements: 1, mongoCommands: 0 });
    expect(other.spent).to.include({ postgresMs: 0, postgresStatements: 0 });
  });

  it('is nowhere outside of a request', () => {
    expect(currentCarrier()).to.equal(undefined);
    expect(requestIdCtx.get()).to.equal(undefined);
  });
});
