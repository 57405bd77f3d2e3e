import list from './common-passwords.json' with { type: 'json' };

let common: ReadonlySet<string> | undefined;

/** Made when it is first asked for: a service that nobody registers at needs none. */
function commonPasswords(): ReadonlySet<string> {
  common ??= new Set(list.passwords.split(' '));
  return common;
}

const DIGIT_OR_SYMBOL = /[^\p{L}\p{M}]/u;

/**
 * Whether a password is one of the 10,000 most common ones, in any case, or one of them repeated, with digits and
 * symbols appended, or both (`password1password1password1!`). It is compared as a whole (NIST SP 800-63B-4 §3.1.1.2):
 * a common word among others is no reason. `password` is in NFKC, at most 128 characters.
 */
export function isCommonPassword(password: string): boolean {
  const text = password.toLowerCase();
  const repeats = repetitionsIn(text);
  for (let end = text.length; end > 0; end--) {
    if (isCommonAt(text, end, repeats)) return true;
    if (!DIGIT_OR_SYMBOL.test(text[end - 1] ?? '')) return false;
  }
  return false;
}

/** Whether the first `end` characters are a common password, or a part of them over and over. */
function isCommonAt(text: string, end: number, repeats: readonly number[]): boolean {
  if (commonPasswords().has(text.slice(0, end))) return true;
  for (let length = 1; length < end; length++) {
    if (length + (repeats[length] ?? 0) < end) continue;
    const unit = text.slice(0, length);
    // One character over and over is no better for standing in no list.
    const isOneCharacter = length === 1 && end === text.length;
    if (isOneCharacter || commonPasswords().has(unit) || commonPasswords().has(withoutTail(unit))) return true;
  }
  return false;
}

function withoutTail(text: string): string {
  let end = text.length;
  while (end > 0 && DIGIT_OR_SYMBOL.test(text[end - 1] ?? '')) end--;
  return text.slice(0, end);
}

/** For each place, how far the text goes on there as it began: the Z function. */
function repetitionsIn(text: string): number[] {
  const lengths = [text.length];
  let from = 0;
  let to = 0;
  for (let at = 1; at < text.length; at++) {
    let length = at < to ? Math.min(to - at, lengths[at - from] ?? 0) : 0;
    while (text[length] === text[at + length] && at + length < text.length) length++;
    lengths.push(length);
    if (at + length > to) [from, to] = [at, at + length];
  }
  return lengths;
}
