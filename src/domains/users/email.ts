import { domainToASCII } from 'node:url';
import type { FieldProblem } from '../../core/index.ts';

const LOCAL_PART = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
// What stands in no domain would otherwise be cut off, or unpacked, as a part of a URL.
const DOMAIN = /^[a-z0-9.\-\u{80}-\u{10ffff}]+$/u;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const MAX_LENGTH = 254;
const MAX_LOCAL_LENGTH = 64;

/**
 * The one form of an address in which accounts are unique: NFKC, lower case, ASCII local part (RFC 5321 §4.1.2, without
 * quoting), domain by IDNA. `undefined` for what is no such address. Nothing is trimmed.
 */
export function normalizeEmail(text: string): string | undefined {
  if (text.length > MAX_LENGTH * 4) return undefined;
  const folded = text.normalize('NFKC').toLowerCase();
  const at = folded.lastIndexOf('@');
  if (at < 1 || /[\s\p{Cc}]/u.test(folded)) return undefined;
  const local = folded.slice(0, at);
  const written = folded.slice(at + 1);
  const domain = DOMAIN.test(written) ? domainToASCII(written) : '';
  const labels = domain.split('.');
  const isDomain =
    labels.length > 1 && labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1) ?? '');
  const address = `${local}@${domain}`;
  const isAddress =
    local.length <= MAX_LOCAL_LENGTH && LOCAL_PART.test(local) && isDomain && address.length <= MAX_LENGTH;
  return isAddress ? address : undefined;
}

/** What to say of a text that `normalizeEmail` does not take. */
export function emailProblem(field: string): FieldProblem {
  return {
    field,
    message: 'is not an e-mail address that can be used here',
    rule: 'email',
    allowed: 'an ASCII local part, @ and a domain, 254 characters at most',
  };
}
