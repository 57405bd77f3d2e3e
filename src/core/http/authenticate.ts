import type { IncomingHttpHeaders } from 'node:http';
import { trace } from '@opentelemetry/api';
import { UnauthorizedError } from '../errors/app-http-error.ts';
import { InvalidTokenError, type TokenClaims } from '../security/tokens.ts';
import type { Middleware } from './state.ts';

/** Who is calling: the user and the session that the token names, as the store knows them now. */
export type Principal = {
  userId: string;
  sessionId: string;
  roles: readonly string[];
  email: string;
  createdAt: Date;
};

/** How `authenticate` asks for a session: one question a request, so that an ended one is refused at once. */
export type SessionLookup = {
  /** The session and its user; `undefined` when either is gone, ended or expired. */
  findActiveSession(sessionId: string, userId: string): Promise<Principal | undefined>;
};

export type AuthenticateOptions = {
  decodeAccessToken(token: string): Promise<TokenClaims>;
  /** The same at once, for a token that is known to be good. */
  knownClaims?(token: string): TokenClaims | undefined;
  sessions: SessionLookup;
};

const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*) *$/i;
const MAX_TOKEN_LENGTH = 4096;
const PROTOCOL_PREFIX = 'bearer.';

/**
 * Lets only signed-in users pass (RFC 6750 §2.1). Throws 401 with `WWW-Authenticate: Bearer`, the same for every reason
 * but the words: what exactly is wrong with a token helps only who forged it.
 */
export function authenticate(options: AuthenticateOptions): Middleware {
  return function authenticate(ctx, next) {
    return principalOf(ctx.req.headers.authorization, options).then((principal) => {
      ctx.state.principal = principal;
      ctx.state.carrier.userId = principal.userId;
      return next();
    });
  };
}

/**
 * Whose token stands in a header `Authorization`. Throws 401, or rejects with it. No async function: a thousand requests
 * may wait here at a time.
 */
function principalOf(
  header: string | undefined,
  { decodeAccessToken, knownClaims, sessions }: AuthenticateOptions,
): Promise<Principal> {
  if (header === undefined) throw new UnauthorizedError('Sign in first', { code: 'auth.token_missing' });
  const token = header.length <= MAX_TOKEN_LENGTH ? BEARER.exec(header)?.[1] : undefined;
  if (token === undefined) throw refused('malformed');
  const known = knownClaims?.(token);
  if (known !== undefined) return find(known, sessions);
  return decodeAccessToken(token).then(
    (decoded) => find(decoded, sessions),
    (error: unknown) => {
      throw error instanceof InvalidTokenError ? refused(error.reason, error) : error;
    },
  );
}

function find({ sid, sub }: TokenClaims, sessions: SessionLookup): Promise<Principal> {
  return sessions.findActiveSession(sid, sub).then(required);
}

function required(principal: Principal | undefined): Principal {
  if (principal === undefined) throw refused('revoked');
  return principal;
}

function refused(reason: string, cause?: unknown): UnauthorizedError {
  trace.getActiveSpan()?.setAttribute('okapi.auth.refused', reason);
  return new UnauthorizedError('The access token is not valid, or its session has ended', {
    code: reason === 'expired' ? 'auth.token_expired' : 'auth.token_invalid',
    headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
    cause,
  });
}

/** The caller of a guarded route. Throws when the route is not guarded, which is a mistake in its declaration. */
export function getCurrentUserSession(ctx: { state: { principal: Principal | undefined } }): Principal {
  if (ctx.state.principal === undefined)
    throw new Error('This route is not declared with authenticated: true, nor with roles');
  return ctx.state.principal;
}

/**
 * Who asks for a WebSocket: for the listener of a server's `upgrade`, before the handshake is answered. The token stands
 * in `Authorization`, or, since a page can set no header, among the sub-protocols as `bearer.<token>`, beside the one
 * that the server speaks and names in its answer. Throws 401, as for a request; it holds for the moment of the handshake,
 * so who keeps a socket open for long asks again.
 */
export async function getCurrentUserSessionWs(
  request: { headers: IncomingHttpHeaders },
  options: AuthenticateOptions,
): Promise<Principal> {
  const { authorization, 'sec-websocket-protocol': protocols } = request.headers;
  return principalOf(authorization ?? bearerAmong(protocols), options);
}

function bearerAmong(protocols = ''): string | undefined {
  const offered = protocols.split(',').map((each) => each.trim());
  const token = offered.find((each) => each.startsWith(PROTOCOL_PREFIX))?.slice(PROTOCOL_PREFIX.length);
  return token === undefined ? undefined : `Bearer ${token}`;
}
