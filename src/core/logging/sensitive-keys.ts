const SENSITIVE = /passw(?:or)?d|secret|token|authorization|cookie|(?:api|signing|private)key/;
const EXACT_NAME = new RegExp(`^(?:proxy|set|x)?(?:${SENSITIVE.source})$`);
const KNOWN_KEYS = 2_000;

const known = new Map<string, boolean>();

function normalised(key: string): string {
  return key.toLowerCase().replace(/[-_ .]/g, '');
}

/**
 * Whether a value under this key must never be written. Case, `-` and `_` do not matter, and compound names count
 * (`refresh_token`, `currentPassword`, `x-api-key`).
 */
export function isSensitiveKey(key: string): boolean {
  if (key.length > 256) return SENSITIVE.test(normalised(key));
  let sensitive = known.get(key);
  if (sensitive === undefined) {
    sensitive = SENSITIVE.test(normalised(key));
    if (known.size >= KNOWN_KEYS) known.clear();
    known.set(key, sensitive);
  }
  return sensitive;
}

/** Whether this string is nothing but a sensitive name, as in the flat name, value list of `rawHeaders`. */
export function isSensitiveName(text: string): boolean {
  return text.length <= 32 && EXACT_NAME.test(normalised(text));
}
