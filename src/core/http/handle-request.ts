import type Koa from 'koa';

type KoaContext = { res: { statusCode: number }; respond?: unknown; onerror(error: unknown): void };
type HandleRequest = (ctx: KoaContext, run: (ctx: KoaContext) => Promise<void>) => Promise<void>;

/**
 * Lets Koa handle only those answers that it has to send: streams, and bodies that a handler set by itself. What the
 * envelope has sent is done; Koa would watch its end by listeners of its own, for errors that `ctx.onerror` ignores,
 * and that costs as much as the span of a request.
 */
export function handleOwnAnswers(app: Koa): void {
  const handling = app as unknown as { handleRequest: HandleRequest };
  const handledByKoa = handling.handleRequest.bind(app);

  handling.handleRequest = function handleRequest(ctx, run) {
    ctx.res.statusCode = 404;
    return run(ctx).then(
      () => {
        if (ctx.respond === false) return;
        const { statusCode } = ctx.res;
        return handledByKoa(ctx, async () => {
          ctx.res.statusCode = statusCode;
        });
      },
      (error: unknown) => ctx.onerror(error),
    );
  };
}
