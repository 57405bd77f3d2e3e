import { randomUUID } from 'node:crypto';
import type { JwtService, TokenIdentity } from '../../core/index.ts';
import type { TokenPair } from './schemas.ts';

/** Whom the tokens are for. */
export type Holder = { userId: string; roles: readonly string[]; sessionId: string };

export type TokenPairOptions = { tokens: JwtService; accessTokenTtlSeconds: number };

/** A new refresh token's identity, to be stored before the token is given away. `nowMs` is since the epoch. */
export function newTokenIdentity(nowMs: number): TokenIdentity {
  return { jti: randomUUID(), issuedAt: Math.floor(nowMs / 1000) };
}

/** The tokens of a session: a new access token, and the refresh token that `refreshToken` identifies. */
export async function createTokenPair(
  { tokens, accessTokenTtlSeconds }: TokenPairOptions,
  { userId, roles, sessionId }: Holder,
  refreshToken: TokenIdentity,
): Promise<TokenPair> {
  const [access_token, refresh_token] = await Promise.all([
    tokens.createAccessToken(userId, roles, sessionId),
    tokens.createRefreshToken(userId, roles, sessionId, refreshToken),
  ]);
  return {
    access_token,
    refresh_token,
    token_type: 'Bearer',
    expires_in: accessTokenTtlSeconds,
    session_id: sessionId,
  };
}
