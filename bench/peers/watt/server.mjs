// Koa on Platformatic Watt, as its documentation has it: the application is what `create` or `build` returns.
import Router from '@koa/router';
import Koa from 'koa';
import { createBody } from '../body.mjs';

export function create() {
  const app = new Koa();
  const router = new Router();
  router.get('/', (ctx) => {
    ctx.body = createBody();
  });
  app.use(router.routes()).use(router.allowedMethods());
  return app;
}
