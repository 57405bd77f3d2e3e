import { randomUUID } from 'node:crypto';
import { decodeProtectedHeader, type JWK, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import type { Settings } from '../config/index.ts';
import { assertTimes, assertWellFormed, InvalidTokenError, isClaims, reasonOf } from './token-checks.ts';
import { tokenHash } from './token-hash.ts';
import { secretKey, type TokenKey } from './token-key.ts';
import { KeyRing, TokenKeys, type TokenType } from './token-keys.ts';
import { type Verified, VerifiedTokens } from './verified-tokens.ts';

export { InvalidTokenError, type InvalidTokenReason } from './token-checks.ts';
export type { TokenType } from './token-keys.ts';

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
  /** Milliseconds since the epoch. */
  clock?: () => number;
} & (
    | {
        /** The keys in use, of any algorithm; they may be replaced at any time. */
        keys: TokenKeys;
      }
    | {
        /** One secret each for HS256: at least 32 bytes, and different. */
        accessKey: string;
        refreshKey: string;
      }
  );

const HEADER_TYPES = { access: 'at+jwt', refresh: 'rt+jwt' } as const;

/** How far the clocks of those who sign and those who check may differ. */
const CLOCK_SKEW_SECONDS = 5;

/** Makes and reads the tokens of a session: JWTs in the profile of RFC 9068 (`at+jwt`), held to RFC 8725. */
export class JwtService {
  readonly #options: JwtServiceOptions;
  readonly #keys: TokenKeys;
  readonly #clock: () => number;
  readonly #verified = new VerifiedTokens();

  constructor(options: JwtServiceOptions) {
    this.#options = options;
    this.#keys = 'keys' in options ? options.keys : secretKeys(options.accessKey, options.refreshKey);
    this.#clock = options.clock ?? Date.now;
  }

  /** A short-lived token that opens the API. */
  createAccessToken(userId: string, roles: readonly string[], sessionId: string): Promise<string> {
    return this.#create('access', this.#options.accessTokenTtlSeconds, userId, roles, sessionId);
  }

  /**
   * A long-lived token that is good for one refresh. With `identity` it is the one that has these, made once more: with
   * the same claims, though by another key when that has changed, and by ES256 with another signature.
   */
  createRefreshToken(
    userId: string,
    roles: readonly string[],
    sessionId: string,
    identity?: TokenIdentity,
  ): Promise<string> {
    return this.#create('refresh', this.#options.refreshTokenTtlSeconds, userId, roles, sessionId, identity);
  }

  /**
   * Rejects with `InvalidTokenError`. That a token's signature and claims were good is remembered, never past its expiry
   * or the removal of its key; that one was refused is not. Whether its session still lives is asked elsewhere, always.
   */
  async decodeAccessToken(token: string): Promise<TokenClaims> {
    const known = this.knownClaims(token);
    if (known !== undefined) return known;
    const verified = await this.#decode('access', token);
    this.#verified.remember(token, verified);
    return verified.claims;
  }

  /** The claims of an access token that is remembered as good, at once; `undefined` for every other. */
  knownClaims(token: string): TokenClaims | undefined {
    const known = this.#verified.find(token, this.#clock() / 1000);
    return known !== undefined && this.#keys.access.find(known.kid) !== undefined ? known.claims : undefined;
  }

  /** Rejects with `InvalidTokenError`. */
  async decodeRefreshToken(token: string): Promise<TokenClaims> {
    return (await this.#decode('refresh', token)).claims;
  }

  /** SHA-256 in hex: a token is random enough to need no stretching. */
  hashToken(token: string): string {
    return tokenHash(token);
  }

  /** The public halves of the keys of access tokens, as a JWK Set (RFC 7517 §5). Empty under HS256. */
  publicKeys(): { keys: readonly JWK[] } {
    return { keys: this.#keys.access.publicJwks };
  }

  async #create(
    type: TokenType,
    ttlSeconds: number,
    userId: string,
    roles: readonly string[],
    sessionId: string,
    { jti, issuedAt }: TokenIdentity = { jti: randomUUID(), issuedAt: Math.floor(this.#clock() / 1000) },
  ): Promise<string> {
    const { kid, algorithm, signing } = this.#keys[type].signingKey(this.#clock());
    return new SignJWT({ roles: [...roles], type, sid: sessionId })
      .setProtectedHeader({ alg: algorithm, typ: HEADER_TYPES[type], kid })
      .setSubject(userId)
      .setIssuer(this.#options.projectIdentifier)
      .setAudience(this.#options.projectClientIdentifier)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + ttlSeconds)
      .setJti(jti)
      .sign(signing as CryptoKey);
  }

  async #decode(type: TokenType, token: string): Promise<Verified> {
    assertWellFormed(token);
    const key = this.#pickKey(type, token);
    const nowMs = this.#clock();
    let payload: JWTPayload;
    try {
      ({ payload } = await jwtVerify(token, key.verifying, {
        algorithms: [key.algorithm],
        typ: HEADER_TYPES[type],
        issuer: this.#options.projectIdentifier,
        audience: this.#options.projectClientIdentifier,
        requiredClaims: ['sub', 'exp', 'iat', 'jti', 'sid', 'type', 'roles'],
        clockTolerance: CLOCK_SKEW_SECONDS,
        currentDate: new Date(nowMs),
      }));
    } catch (error) {
      throw new InvalidTokenError(reasonOf(error), { cause: error });
    }
    if (payload['type'] !== type) throw new InvalidTokenError('type');
    if (!isClaims(payload)) throw new InvalidTokenError('claim');
    assertTimes(type, payload, nowMs / 1000, CLOCK_SKEW_SECONDS);
    return { claims: Object.freeze(payload), kid: key.kid };
  }

  /** The token says which of our keys, no more (RFC 8725 §3.10); without a word, the one that signs. */
  #pickKey(type: TokenType, token: string): TokenKey {
    const ring = this.#keys[type];
    let kid: unknown;
    try {
      ({ kid } = decodeProtectedHeader(token));
    } catch (error) {
      throw new InvalidTokenError('malformed', { cause: error });
    }
    if (kid === undefined) return ring.signingKey(this.#clock());
    if (typeof kid !== 'string') throw new InvalidTokenError('malformed');
    const key = ring.find(kid);
    if (key === undefined) throw new InvalidTokenError('signature');
    return key;
  }
}

function secretKeys(accessKey: string, refreshKey: string): TokenKeys {
  const ring = (secret: string) => new KeyRing('HS256', [secretKey(secret)]);
  return new TokenKeys({ access: ring(accessKey), refresh: ring(refreshKey) });
}
