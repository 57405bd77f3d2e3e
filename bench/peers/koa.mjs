// Koa and @koa/router, nothing else.
import Router from '@koa/router';
import Koa from 'koa';
import { createBody } from './body.mjs';
import { host, port } from './settings.mjs';

const app = new Koa();
const router = new Router();
router.get('/', (ctx) => {
  ctx.body = createBody();
});
app.use(router.routes()).use(router.allowedMethods());
app.listen(port, host);
