import type { JWK } from 'jose';
import type { TokenAlgorithm, TokenKey } from './token-key.ts';

export type TokenType = 'access' | 'refresh';

/** The keys of one type of token: one signs, all check. */
export class KeyRing {
  readonly algorithm: TokenAlgorithm;
  readonly #byKid: ReadonlyMap<string, TokenKey>;
  readonly #signing: readonly TokenKey[];

  /**
   * Of the keys for `algorithm` the last one whose time has come signs; those of the same time count in the order given.
   * Throws `RangeError` when none can sign.
   */
  constructor(algorithm: TokenAlgorithm, keys: readonly TokenKey[]) {
    this.algorithm = algorithm;
    // Of a key that is there twice, the private half is the one that counts.
    const ordered = [...keys].sort((a, b) => Number(a.signing !== undefined) - Number(b.signing !== undefined));
    this.#byKid = new Map(ordered.map((key) => [key.kid, key]));
    this.#signing = [...this.#byKid.values()]
      .filter((key) => key.signing !== undefined && key.algorithm === algorithm)
      .sort((a, b) => a.signsFrom - b.signsFrom);
    if (this.#signing.length === 0) throw new RangeError(`None of the keys signs with ${algorithm}`);
  }

  /** Every key of the ring: each checks the tokens that name it. */
  get keys(): readonly TokenKey[] {
    return [...this.#byKid.values()];
  }

  /** The key that signs at this time, in milliseconds since the epoch; before the time of the first, the first. */
  signingKey(nowMs: number): TokenKey {
    const [first, ...later] = this.#signing as [TokenKey, ...TokenKey[]];
    return later.findLast(({ signsFrom }) => signsFrom <= nowMs) ?? first;
  }

  /** The key of that id, if it is one of these. */
  find(kid: string): TokenKey | undefined {
    return this.#byKid.get(kid);
  }

  /** What others need to check these tokens; nothing under HS256. */
  get publicJwks(): readonly JWK[] {
    if (this.algorithm === 'HS256') return [];
    return this.keys.flatMap(({ publicJwk }) => publicJwk ?? []);
  }

  /** Secrets for another purpose of the service: that of the key that signs now comes first. */
  deriveSecrets(purpose: string, nowMs: number): readonly Buffer[] {
    const signing = this.signingKey(nowMs);
    const ordered = [signing, ...this.keys.filter((key) => key !== signing)];
    return ordered.flatMap(({ deriveSecret }) => deriveSecret?.(purpose) ?? []);
  }
}

export type KeyRings = Readonly<Record<TokenType, KeyRing>>;

/** The keys in use. They are replaced as a whole while the service runs. */
export class TokenKeys {
  #rings: KeyRings;

  /** Throws `RangeError` when access and refresh tokens have a key in common: one would pass for the other. */
  constructor(rings: KeyRings) {
    this.#rings = disjoint(rings);
  }

  get access(): KeyRing {
    return this.#rings.access;
  }

  get refresh(): KeyRing {
    return this.#rings.refresh;
  }

  /** From now on these are the keys, and no others. Throws `RangeError`, as above, and changes nothing then. */
  replace(rings: KeyRings): void {
    this.#rings = disjoint(rings);
  }
}

function disjoint(rings: KeyRings): KeyRings {
  const shared = rings.access.keys.find(({ kid }) => rings.refresh.find(kid) !== undefined);
  if (shared !== undefined) throw new RangeError(`Access and refresh tokens have the key ${shared.kid} in common`);
  return rings;
}
