import { getDeviceInfo } from './device-info.ts';
import type { Middleware } from './state.ts';

/** Puts the device that a request came from on `ctx.state.deviceInfo`. */
export function device(): Middleware {
  return function device(ctx, next) {
    ctx.state.deviceInfo = getDeviceInfo(ctx.req, ctx.state.clientAddress);
    return next();
  };
}
