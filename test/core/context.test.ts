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

  it('is nowhere outside of a request', () => {
    expect(currentCarrier()).to.equal(undefined);
    expect(requestIdCtx.get()).to.equal(undefined);
  });
});
