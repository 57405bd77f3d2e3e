import type { TokenIdentity } from '../../core/index.ts';
import type { RefreshState } from './store.ts';

/** A client that did not receive the answer may ask once more within this time. */
const REPEAT_WITHIN_SECONDS = 10;

/**
 * What a refresh token is worth. `rotate`: it is the newest, and unused. `repeat`: it is the one before, came back in
 * time, and its successor has not been used: the answer was lost, so the same successor is due. `replay`: it was used
 * long ago, or its successor was: somebody has a copy (RFC 9700 §4.14.2).
 */
export type RefreshTurn = { kind: 'rotate' } | { kind: 'repeat'; successor: TokenIdentity } | { kind: 'replay' };

/** Decides what the refresh token `jti` of a session is worth. */
export function judgeRefresh(state: RefreshState, jti: string): RefreshTurn {
  if (jti === state.jti) return { kind: 'rotate' };
  const { previousJti, secondsSinceRotation, jti: successor, issuedAt } = state;
  // That the successor is still the newest is what says that nobody has used it.
  const isInTime = secondsSinceRotation !== null && secondsSinceRotation <= REPEAT_WITHIN_SECONDS;
  if (jti === previousJti && isInTime && successor !== null && issuedAt !== null) {
    return { kind: 'repeat', successor: { jti: successor, issuedAt: issuedAt.getTime() / 1000 } };
  }
  return { kind: 'replay' };
}
