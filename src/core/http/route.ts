import type { AppHttpError, AppHttpErrorOptions } from '../errors/app-http-error.ts';
import type { ResponseFactory, SuccessOptions } from './response.ts';
import type { RouteLimits } from './route-limits.ts';
import type { OkapiContext, OkapiState } from './state.ts';
import type { Static, TSchema } from './type.ts';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** What one answer of a route looks like. One of 204 and 304 has no body; any other has a `schema` or a `content`. */
export type RouteResponse = {
  description: string;
  /** Schema of `data`. */
  schema?: TSchema;
  /** Whether `data` is one page of a list, so that `meta.page` is there. */
  isPage?: boolean;
  /** Media types of an answer that is sent as it is, outside of the envelope. */
  content?: readonly string[];
};

/** An error that a route's service throws: its class, its code, and in words when that happens. */
export type RouteError = {
  type: new (detail?: string, options?: AppHttpErrorOptions) => AppHttpError;
  /** That of the class unless given, such as `http.not_found`. */
  code?: string;
  description: string;
};

type Responses = Readonly<Record<number, RouteResponse>>;

/** The types of `data` that the declared answers allow; anything where they are not known. */
type DataOf<R extends Responses> = Responses extends R
  ? unknown
  : { [S in keyof R]: R[S] extends { schema: infer T extends TSchema } ? Static<T> : undefined }[keyof R];

/** `ctx.respond` of a route: it takes what the route declares to answer. */
export type RouteRespond<D> = Omit<ResponseFactory, 'success'> & { success(data: D, options?: SuccessOptions): void };

/** What a handler gets: the context, with the parts of the request that were validated, typed by their schemas. */
export type RouteContext<B = unknown, Q = unknown, P = unknown, D = unknown> = Omit<
  OkapiContext,
  'state' | 'respond'
> & {
  state: Omit<OkapiState, 'input'> & { input: { body: B; query: Q; params: P } };
  readonly respond: RouteRespond<D>;
};

export type RouteOptions<B extends TSchema, Q extends TSchema, P extends TSchema, R extends Responses> = {
  method: Method;
  /** Template below the router's prefix, such as `/sessions/:id`. */
  path: string;
  /** What it does, in a few words. */
  summary: string;
  /** More about it, in Markdown. */
  description?: string;
  /** Under what the API's description lists it; the first segment of the path unless given. */
  tags?: readonly string[];
  /** Whether only a signed-in user may call it. */
  authenticated?: boolean;
  /** Only a signed-in user who has one of these may call it; `authenticated` need not be said. */
  roles?: readonly string[];
  /** How a caller may or must identify, in OpenAPI's words, where `authenticated` does not say it. */
  security?: readonly Readonly<Record<string, readonly string[]>>[];
  /** How often it may be called, besides the general limit. */
  limits?: RouteLimits<Static<B>>;
  /**
   * Asked before the body is read: what is answered where the request could not be served now anyway. The request is then
   * one that was shed, as past `MAX_IN_FLIGHT`.
   */
  admit?: () => AppHttpError | undefined;
  body?: B;
  query?: Q;
  params?: P;
  /** By status. */
  responses: R;
  /** Errors of its service. Those that guards, schemas and the core bring need not be said. */
  errors?: readonly RouteError[];
  /** How long it may take in all, milliseconds, where that is longer than `REQUEST_TIMEOUT_MS`. */
  timeoutMs?: number;
  /** Not counted, traced or logged: health and metrics. */
  quiet?: boolean;
  handler: (ctx: RouteContext<Static<B>, Static<Q>, Static<P>, DataOf<R>>) => Promise<void> | void;
};

/** A declared route; `compileRoute` makes middleware of it. */
export type Route = RouteOptions<TSchema, TSchema, TSchema, Responses>;

/** Whether only a signed-in user may call a route. */
export function isGuarded({ authenticated = false, roles }: Pick<Route, 'authenticated' | 'roles'>): boolean {
  return authenticated || roles !== undefined;
}

/** What the telemetry layer and the envelope need to know of the route that matched. */
export type CompiledRoute = {
  readonly template: string;
  readonly method: string;
  readonly quiet: boolean;
  readonly timeoutMs: number | undefined;
};

/** Declares a route. What comes in and goes out is said once: validation, types and OpenAPI come from here. */
export function route<
  B extends TSchema = TSchema,
  Q extends TSchema = TSchema,
  P extends TSchema = TSchema,
  const R extends Responses = Responses,
>(options: RouteOptions<B, Q, P, R>): Route {
  return options as unknown as Route;
}
