import { hash } from 'node:crypto';

/** SHA-256 in hex: what is kept of a token. It is random enough to need no stretching. */
export function tokenHash(token: string): string {
  return hash('sha256', token, 'hex');
}
