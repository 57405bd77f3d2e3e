import type { Next } from 'koa';
import type { Middleware, OkapiContext } from './state.ts';

/**
 * Joins layers into one, the first outermost. The same contract as koa-compose, without the promise and the bound
 * function that it makes for every layer of every request: a layer that returns what `next()` gave costs one call.
 * What a layer throws at once is a rejection too. A layer that calls `next()` twice is a mistake that the tests of the
 * layer must find.
 */
export function compose(layers: readonly Middleware[]): (ctx: OkapiContext, next?: Next) => Promise<void> {
  const run = layers.reduceRight<(ctx: OkapiContext, end: Next) => Promise<void>>(
    (inner, layer) => (ctx, end) => layer(ctx, () => inner(ctx, end)),
    (_ctx, end) => end(),
  );
  return function composed(ctx, next = nothing) {
    try {
      return run(ctx, next);
    } catch (error) {
      return Promise.reject(error);
    }
  };
}

async function nothing(): Promise<void> {}
