// A Koa onion of the usual parts, each as its own documentation has it, under NodeSDK (see telemetry.mjs).
import { randomUUID } from 'node:crypto';
import cors from '@koa/cors';
import Router from '@koa/router';
import Bowser from 'bowser';
import Koa from 'koa';
import helmet from 'koa-helmet';
import winston from 'winston';
import 'winston-daily-rotate-file';
import { createBody } from './body.mjs';
import { host, port } from './settings.mjs';

const logger = winston.createLogger({
  format: winston.format.combine(winston.format.timestamp(), winston.format.json()),
  transports: [
    new winston.transports.DailyRotateFile({
      dirname: process.env.LOG_DIR,
      filename: 'app-%DATE%.json',
      datePattern: 'YYYY-MM-DD',
      maxSize: '10m',
      maxFiles: 6,
    }),
  ],
});

const app = new Koa();
app.use(async function accessLog(ctx, next) {
  const startedAt = performance.now();
  await next();
  const { method, status, ip } = ctx;
  const { requestId, device } = ctx.state;
  const duration_ms = performance.now() - startedAt;
  logger.info('request', { request_id: requestId, method, route: ctx._matchedRoute, status, duration_ms, ip, device });
});
app.use(async function errors(ctx, next) {
  try {
    await next();
  } catch (error) {
    ctx.status = error.status ?? 500;
    ctx.body = { title: 'Error', status: ctx.status };
  }
});
app.use(async function requestId(ctx, next) {
  ctx.state.requestId = ctx.get('X-Request-ID') || randomUUID();
  ctx.set('X-Request-ID', ctx.state.requestId);
  await next();
});
app.use(helmet());
app.use(cors({ origin: 'https://app.example.org', credentials: true }));
app.use(async function device(ctx, next) {
  ctx.state.device = Bowser.parse(ctx.get('User-Agent') || ' ');
  await next();
});
const router = new Router();
router.get('/', (ctx) => {
  ctx.body = createBody();
});
app.use(router.routes()).use(router.allowedMethods());
app.listen(port, host);
