import { hash } from 'node:crypto';
import type { TokenClaims } from './tokens.ts';

const MAX_VERIFIED = 10_000;

/** That the signature and claims of a token were good, and by which key. */
export type Verified = { readonly claims: TokenClaims; readonly kid: string };

/**
 * Tokens that were found good, by their SHA-256, the oldest forgotten first when there are too many. Whoever asks has to
 * look whether the key is still one.
 */
export class VerifiedTokens {
  readonly #known = new Map<string, Verified>();

  /** What is known of a token, never past its expiry. */
  find(token: string, nowSeconds: number): Verified | undefined {
    const key = hash('sha256', token, 'base64');
    const known = this.#known.get(key);
    if (known === undefined || known.claims.exp > nowSeconds) return known;
    this.#known.delete(key);
    return undefined;
  }

  remember(token: string, verified: Verified): void {
    if (this.#known.size >= MAX_VERIFIED) this.#known.delete(this.#known.keys().next().value ?? '');
    this.#known.set(hash('sha256', token, 'base64'), verified);
  }
}
