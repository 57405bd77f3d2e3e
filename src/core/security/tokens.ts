import { hash, randomUUID } from 'node:crypto';
import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import type { Settings } from '../config/index.ts';
import { tokenHash } from './token-hash.ts';

export type TokenType = 'access' | 'refresh';
export type InvalidTokenReason = 'expired' | 'malformed' | 'signature' | 'claim' | 'type' | 'revoked';

/** A token that is not accepted, and why. Its message never holds the token. */
export class InvalidTokenError extends Error {
  override name = 'InvalidTokenError';
  readonly reason: InvalidTokenReason;

  constructor(reason: InvalidTokenReason, options?: ErrorOptions) {
    super(`The token is not accepted: ${reason}`, options);
    this.reason = reason;
  }
}

/** The claims of both token types. `sub`, `sid` and `jti` are UUIDs; `exp` and `iat` are seconds since the epoch. */
export type TokenClaims = {
  sub: string;
  roles: string[];
  sid: string;
  jti: string;
  type: TokenType;
  exp: number;
  iat: number;
};

/** What makes a token the one that it is: its `jti`, a UUID, and its `iat` in seconds since the epoch. */
export type TokenIdentity = { jti: string; issuedAt: number };

export type JwtServiceOptions = Pick<
  Settings,
  'projectIdentifier' | 'projectClientIdentifier' | 'accessTokenTtlSeconds' | 'refreshTokenTtlSeconds'
> & {
  /** At least 32 bytes each, and different. */
  accessKey: string;
  refreshKey: string;
  /** Milliseconds since the epoch. */
  clock?: () => number;
};

const CLOCK_SKEW_SECONDS = 5;
const MAX_VERIFIED = 10_000;
const HEADER_TYPES = { access: 'at+jwt', refresh: 'rt+jwt' } as const;
const ALGORITHM = 'HS256';
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Makes and reads the tokens of a session: JWTs by RFC 9068 (`at+jwt`), held to RFC 8725. */
export class JwtService {
  readonly #options: JwtServiceOptions;
  readonly #keys: Readonly<Record<TokenType, Uint8Array>>;
  readonly #clock: () => number;
  readonly #verified = new Map<string, TokenClaims>();

  constructor(options: JwtServiceOptions) {
    this.#options = options;
    this.#keys = { access: Buffer.from(options.accessKey), refresh: Buffer.from(options.refreshKey) };
    this.#clock = options.clock ?? Date.now;
  }

  /** A short-lived token that opens the API. */
  createAccessToken(userId: string, roles: readonly string[], sessionId: string): Promise<string> {
    return this.#create('access', this.#options.accessTokenTtlSeconds, userId, roles, sessionId);
  }

  /** A long-lived token that is good for one refresh. With `identity` it is the one that has these, made once more. */
  createRefreshToken(
    userId: string,
    roles: readonly string[],
    sessionId: string,
    identity?: TokenIdentity,
  ): Promise<string> {
    return this.#create('refresh', this.#options.refreshTokenTtlSeconds, userId, roles, sessionId, identity);
  }

  /**
   * Rejects with `InvalidTokenError`. That a token's signature and claims were good is remembered, by the token's hash
   * and never past its expiry; that one was refused is not. Whether its session still lives is asked elsewhere, always.
   */
  async decodeAccessToken(token: string): Promise<TokenClaims> {
    const key = hash('sha256', token, 'base64');
    const known = this.#verified.get(key);
    if (known !== undefined) {
      if (known.exp + CLOCK_SKEW_SECONDS > Math.floor(this.#clock() / 1000)) return known;
      this.#verified.delete(key);
    }
    const claims = await this.#decode('access', token);
    if (this.#verified.size >= MAX_VERIFIED) this.#verified.delete(this.#verified.keys().next().value ?? '');
    this.#verified.set(key, claims);
    return claims;
  }

  /** Rejects with `InvalidTokenError`. */
  decodeRefreshToken(token: string): Promise<TokenClaims> {
    return this.#decode('refresh', token);
  }

  /** SHA-256 in hex: a token is random enough to need no stretching. */
  hashToken(token: string): string {
    return tokenHash(token);
  }

  async #create(
    type: TokenType,
    ttlSeconds: number,
    userId: string,
    roles: readonly string[],
    sessionId: string,
    { jti, issuedAt }: TokenIdentity = { jti: randomUUID(), issuedAt: Math.floor(this.#clock() / 1000) },
  ) {
    return new SignJWT({ roles: [...roles], type, sid: sessionId })
      .setProtectedHeader({ alg: ALGORITHM, typ: HEADER_TYPES[type] })
      .setSubject(userId)
      .setIssuer(this.#options.projectIdentifier)
      .setAudience(this.#options.projectClientIdentifier)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + ttlSeconds)
      .setJti(jti)
      .sign(this.#keys[type]);
  }

  async #decode(type: TokenType, token: string): Promise<TokenClaims> {
    let payload: JWTPayload;
    try {
      ({ payload } = await jwtVerify(token, this.#keys[type], {
        algorithms: [ALGORITHM],
        typ: HEADER_TYPES[type],
        issuer: this.#options.projectIdentifier,
        audience: this.#options.projectClientIdentifier,
        requiredClaims: ['sub', 'exp', 'iat', 'jti', 'sid', 'type', 'roles'],
        clockTolerance: CLOCK_SKEW_SECONDS,
        currentDate: new Date(this.#clock()),
      }));
    } catch (error) {
      throw new InvalidTokenError(reasonOf(error), { cause: error });
    }
    if (payload['type'] !== type) throw new InvalidTokenError('type');
    if (!areClaims(payload)) throw new InvalidTokenError('claim');
    return Object.freeze(payload);
  }
}

function reasonOf(error: unknown): InvalidTokenReason {
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error instanceof errors.JWTClaimValidationFailed) return error.claim === 'typ' ? 'type' : 'claim';
  if (error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JOSEAlgNotAllowed) {
    return 'signature';
  }
  return 'malformed';
}

function areClaims(payload: JWTPayload): payload is JWTPayload & TokenClaims {
  const { sub, sid, jti, roles } = payload as Record<string, unknown>;
  const ids = [sub, sid, jti];
  return (
    ids.every((id) => typeof id === 'string' && UUID.test(id)) &&
    Array.isArray(roles) &&
    roles.every((role) => typeof role === 'string')
  );
}
