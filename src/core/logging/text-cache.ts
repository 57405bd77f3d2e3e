import { flat, quote } from './escape.ts';
import { redactText } from './secret-shapes.ts';

const PLAIN = /^[\w/-]*$/;

/**
 * A value that a client chose as a JSON string without secrets, at most `limit` UTF-16 units of it. What is `plain` needs
 * no look at it.
 */
export function quoteUntrusted(text: string, limit: number, plain = PLAIN): string {
  return text.length <= limit && plain.test(text) ? `"${text}"` : flat(quote(redactText(text, limit)));
}

/** A value that a client chose, without secrets and at most `limit` UTF-16 units long. */
export function untrusted(text: string, limit: number): string {
  return text.length <= limit && PLAIN.test(text) ? text : redactText(text, limit);
}

/** Remembers {@link quoteUntrusted} of texts that come again and again (user agents, addresses); forgets all when full. */
export class QuotedTexts {
  readonly #known = new Map<string, string>();
  readonly #size: number;
  readonly #limit: number;
  readonly #plain: RegExp;

  constructor(size: number, limit: number, plain = PLAIN) {
    this.#size = size;
    this.#limit = limit;
    this.#plain = plain;
  }

  get(text: string): string {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const quoted = quoteUntrusted(text, this.#limit, this.#plain);
    if (text.length > 4 * this.#limit) return quoted;
    if (this.#known.size >= this.#size) this.#known.clear();
    this.#known.set(text, quoted);
    return quoted;
  }
}
