import { errors, type JWTPayload } from 'jose';
import type { TokenType } from './token-keys.ts';
import type { TokenClaims } from './tokens.ts';

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

const MAX_TOKEN_LENGTH = 4096;
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]*$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Throws `InvalidTokenError` (`malformed`) for what cannot be a token of ours, before any of it is decoded. There is one
 * way to write a token: decoders overlook spaces and spare bits at the end of the signature, and a second spelling
 * would pass for a second token (RFC 4648 §3.5).
 */
export function assertWellFormed(token: string): void {
  if (token.length > MAX_TOKEN_LENGTH || !COMPACT.test(token)) throw new InvalidTokenError('malformed');
  const signature = token.slice(token.lastIndexOf('.') + 1);
  if (Buffer.from(signature, 'base64url').toString('base64url') !== signature) throw new InvalidTokenError('malformed');
}

/** Whether the claims are of the types that ours have, apart from times. */
export function isClaims(payload: JWTPayload): payload is JWTPayload & TokenClaims {
  const { sub, sid, jti, roles } = payload as Record<string, unknown>;
  const ids = [sub, sid, jti];
  return (
    ids.every((id) => typeof id === 'string' && UUID.test(id)) &&
    Array.isArray(roles) &&
    roles.every((role) => typeof role === 'string')
  );
}

/** The longest lives that the settings allow, in seconds. */
const LONGEST_LIFE_SECONDS = { access: 86_400, refresh: 365 * 86_400 } as const;

/**
 * Throws `InvalidTokenError` (`claim`) for a token that was issued in the future, or that lives longer than any token of
 * ours: a slip of whoever signs must not make a token for ever.
 */
export function assertTimes(type: TokenType, { iat, exp }: TokenClaims, nowSeconds: number, skewSeconds: number): void {
  const latest = nowSeconds + skewSeconds;
  if (iat > latest || exp > latest + LONGEST_LIFE_SECONDS[type]) throw new InvalidTokenError('claim');
}

/** Why jose refused a token, in our words. */
export function reasonOf(error: unknown): InvalidTokenReason {
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error instanceof errors.JWTClaimValidationFailed) return error.claim === 'typ' ? 'type' : 'claim';
  if (error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JOSEAlgNotAllowed) {
    return 'signature';
  }
  return 'malformed';
}
