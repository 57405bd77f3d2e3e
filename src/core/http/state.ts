import type { ExtendableContext, Middleware as KoaMiddleware, Next } from 'koa';
import type { Carrier } from '../context.ts';
import type { ServerSpan } from '../telemetry/spans/server-span.ts';
import type { Principal } from './authenticate.ts';
import type { SessionDeviceInfo } from './device-info.ts';
import type { Answer, ResponseFactory } from './response.ts';
import type { CompiledRoute } from './route.ts';

/**
 * What the layers of the onion leave on `ctx.state` for those inside them, in the order in which they set it. A class, so
 * that the state of every request has one shape from the start.
 */
export class OkapiState {
  /** When the request came, by the clock of `performance.now()`. Set by the telemetry layer, like the next five. */
  readonly startedAt: number;
  /** A method name of the standard, or `_OTHER`. */
  readonly method: string;
  readonly path: string;
  readonly carrier: Carrier;
  /** None on health and metrics requests. */
  readonly span: ServerSpan | undefined;
  /** The address of the client, read through the proxies that are trusted. */
  readonly clientAddress: string;
  requestId = '';
  deviceInfo!: SessionDeviceInfo;
  /** Set by the router once a route matched. */
  route: CompiledRoute | undefined = undefined;
  /** Set by `authenticate`. */
  principal: Principal | undefined = undefined;
  /** What validation let through. */
  input: { body: unknown; query: unknown; params: unknown } = NO_INPUT;
  /** Whether the request was refused for overload. */
  isShed = false;
  /** What `ctx.respond` made, to be sent once all layers inside the envelope are done. */
  answer: Answer | undefined = undefined;
  /** Whether the answer failed when a part of it was sent, so that the connection is cut. */
  isCut = false;
  /** The error that the envelope answered. */
  error: unknown = undefined;

  constructor(
    startedAt: number,
    method: string,
    path: string,
    carrier: Carrier,
    span: ServerSpan | undefined,
    clientAddress: string,
  ) {
    this.startedAt = startedAt;
    this.method = method;
    this.path = path;
    this.carrier = carrier;
    this.span = span;
    this.clientAddress = clientAddress;
  }
}

const NO_INPUT = Object.freeze({ body: undefined, query: undefined, params: undefined });

export interface OkapiContext extends Omit<ExtendableContext, 'respond' | 'body'> {
  state: OkapiState;
  body: unknown;
  /** The values of the template's parameters, as text, once a route matched. */
  params?: Record<string, string>;
  readonly respond: ResponseFactory;
}

/** A layer of the onion. */
export type Middleware = (ctx: OkapiContext, next: Next) => Promise<void>;

/** Koa's own types know nothing of this state; the one place where that is said. */
export function asKoa(middleware: Middleware): KoaMiddleware {
  return middleware as unknown as KoaMiddleware;
}
