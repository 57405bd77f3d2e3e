import { expect } from 'chai';
import { compose } from '../../../src/core/http/compose.ts';
import type { Middleware, OkapiContext } from '../../../src/core/http/state.ts';

const ctx = {} as OkapiContext;

describe('layers that are joined', () => {
  it('run from the first to the last, then what comes after them, and end in the opposite order', async () => {
    const seen: string[] = [];
    const layer =
      (name: string): Middleware =>
      async (_ctx, next) => {
        seen.push(`${name} begins`);
        await next();
        seen.push(`${name} ends`);
      };
    await compose([layer('outer'), layer('inner')])(ctx, async () => {
      seen.push('after');
    });
    expect(seen).to.deep.equal(['outer begins', 'inner begins', 'after', 'inner ends', 'outer ends']);
  });

  it('reject with what one of them throws at once, so that nobody counts on a promise and gets an exception', async () => {
    const throws: Middleware = () => {
      throw new RangeError('at once');
    };
    const outcome = compose([(_ctx, next) => next(), throws])(ctx);
    expect(await outcome.catch((error: unknown) => error)).to.be.instanceOf(RangeError);
  });

  it('do nothing where there are none', async () => {
    expect(await compose([])(ctx)).to.equal(undefined);
  });
});
