import { createHash, createHmac, createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import type { JWK } from 'jose';

export const TOKEN_ALGORITHMS = ['HS256', 'RS256', 'ES256', 'EdDSA'] as const;
/** How a token is signed (RFC 7518 §3.1, RFC 8037 §3.1): `ES256` is on P-256, `EdDSA` is Ed25519. */
export type TokenAlgorithm = (typeof TOKEN_ALGORITHMS)[number];

/** A key of tokens. It knows its own algorithm, so that no token can choose one (RFC 8725 §3.1). */
export type TokenKey = {
  readonly kid: string;
  readonly algorithm: TokenAlgorithm;
  readonly verifying: CryptoKey;
  /** `undefined` in a key that only checks what was signed before. */
  readonly signing: CryptoKey | undefined;
  /** Milliseconds since the epoch from which on it signs; it checks from the start. */
  readonly signsFrom: number;
  /** The public half as it is published (RFC 7517); `undefined` under HS256, which has none. */
  readonly publicJwk: JWK | undefined;
  /** A secret of 32 bytes for another purpose of the service; `undefined` where the private half is not here. */
  readonly deriveSecret: ((purpose: string) => Buffer) | undefined;
};

/** A key that cannot be used; its message says what it is, and never holds a part of it. */
export class UnusableKeyError extends Error {
  override name = 'UnusableKeyError';
}

export const MIN_RSA_BITS = 2048;
const MIN_RSA_EXPONENT = 65_537n;
const WEB_CRYPTO = {
  HS256: { name: 'HMAC', hash: 'SHA-256' },
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  EdDSA: { name: 'Ed25519' },
} as const;

/** A secret for HS256, of 32 bytes at least. Its id says nothing of it; with `checksOnly` it signs no more. */
export function secretKey(secret: string, { checksOnly = false } = {}): TokenKey {
  const deriveSecret = (purpose: string) => createHmac('sha256', secret).update(purpose).digest();
  const key = createSecretKey(secret, 'utf8');
  return {
    // RFC 7638 §7: the bare hash of a secret would let others test guesses.
    kid: deriveSecret('okapi.kid').toString('base64url').slice(0, 16),
    algorithm: 'HS256',
    verifying: key.toCryptoKey(WEB_CRYPTO.HS256, false, ['verify']),
    signing: checksOnly ? undefined : key.toCryptoKey(WEB_CRYPTO.HS256, false, ['sign']),
    signsFrom: 0,
    publicJwk: undefined,
    deriveSecret,
  };
}

/**
 * A key pair, or its public half alone, which only checks. The algorithm is that of its kind; its id is its thumbprint
 * (RFC 7638), the same wherever the key is read. Throws `UnusableKeyError` for any other kind, and for weak ones.
 */
export function keyPair(key: KeyObject, signsFrom: number): TokenKey {
  const algorithm = algorithmOf(key);
  const isPrivate = key.type === 'private';
  const publicKey = isPrivate ? createPublicKey(key) : key;
  const jwk = publicKey.export({ format: 'jwk' }) as JWK;
  const kid = thumbprint(jwk);
  return {
    kid,
    algorithm,
    verifying: publicKey.toCryptoKey(WEB_CRYPTO[algorithm], true, ['verify']),
    signing: isPrivate ? key.toCryptoKey(WEB_CRYPTO[algorithm], false, ['sign']) : undefined,
    signsFrom,
    publicJwk: Object.freeze({ ...jwk, kid, alg: algorithm, use: 'sig' }),
    deriveSecret: isPrivate
      ? (purpose) =>
          createHmac('sha256', key.export({ format: 'der', type: 'pkcs8' }))
            .update(purpose)
            .digest()
      : undefined,
  };
}

function algorithmOf({ asymmetricKeyType: kind, asymmetricKeyDetails: details = {} }: KeyObject): TokenAlgorithm {
  if (kind === 'ed25519') return 'EdDSA';
  if (kind === 'ec') {
    if (details.namedCurve === 'prime256v1') return 'ES256';
    throw new UnusableKeyError(`is an EC key on the curve ${details.namedCurve ?? 'of nobody'}`);
  }
  if (kind !== 'rsa') throw new UnusableKeyError(`is a key of the kind ${kind}`);
  const { modulusLength = 0, publicExponent = 0n } = details;
  if (modulusLength < MIN_RSA_BITS) throw new UnusableKeyError(`is an RSA key of ${modulusLength} bits`);
  if (publicExponent < MIN_RSA_EXPONENT)
    throw new UnusableKeyError(`is an RSA key with the exponent ${publicExponent}`);
  return 'RS256';
}

/** RFC 7638 §3: SHA-256 over the required members alone, in the order of their names. */
function thumbprint(jwk: JWK): string {
  const required = Object.entries(jwk).filter(([name]) => ['crv', 'e', 'kty', 'n', 'x', 'y'].includes(name));
  const sorted = Object.fromEntries(required.sort(([a], [b]) => (a < b ? -1 : 1)));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('base64url');
}
