import { types } from 'node:util';
import { isError, summarise } from './exception.ts';
import { HIDDEN, redactText, TEXT_LIMIT } from './secret-shapes.ts';
import { isSensitiveKey, isSensitiveName } from './sensitive-keys.ts';

/** How much of a value is copied: nesting, entries of one container, values altogether, UTF-16 units of text. */
export interface RedactionLimits {
  readonly depth: number;
  readonly entries: number;
  readonly values: number;
  readonly text: number;
  readonly allText: number;
}

export const REDACTION_LIMITS: RedactionLimits = {
  depth: 8,
  entries: 200,
  values: 1_000,
  text: TEXT_LIMIT,
  allText: 3 * TEXT_LIMIT,
};

const UNREADABLE = '[unreadable]';
const LARGEST_SHOWN_INTEGER = 10n ** 40n;

/** One pass over one value; holds what is left of the limits. */
export class Copier {
  readonly #limits: RedactionLimits;
  readonly #ancestors = new Set<object>();
  #values: number;
  #text: number;

  constructor(limits: RedactionLimits) {
    this.#limits = limits;
    this.#values = limits.values;
    this.#text = limits.allText;
  }

  copy(value: unknown): unknown {
    if (--this.#values < 0) return '[truncated]';
    switch (typeof value) {
      case 'string':
        return this.#string(value);
      case 'number':
        return Number.isFinite(value) ? value : String(value);
      case 'bigint':
        return value < LARGEST_SHOWN_INTEGER && value > -LARGEST_SHOWN_INTEGER ? String(value) : '[bigint]';
      case 'symbol':
        return this.#string(String(value));
      case 'function':
        return '[function]';
      case 'object':
        return value === null ? null : this.#guarded(value);
      default:
        return value;
    }
  }

  #string(text: string): string {
    if (this.#text <= 0) return '[truncated]';
    const kept = redactText(text, Math.min(this.#limits.text, this.#text));
    this.#text -= kept.length;
    return kept;
  }

  /** A getter, a trap or a `toJSON` of the value may throw anything: only that value is lost. */
  #guarded(value: object): unknown {
    if (this.#ancestors.has(value)) return '[circular]';
    if (this.#ancestors.size >= this.#limits.depth) return '[too deep]';
    this.#ancestors.add(value);
    try {
      return this.#object(value);
    } catch {
      return UNREADABLE;
    } finally {
      this.#ancestors.delete(value);
    }
  }

  #object(value: object): unknown {
    if (Array.isArray(value)) return this.#list(value, value.length);
    if (ArrayBuffer.isView(value)) return `[${types.isUint8Array(value) ? 'bytes' : 'view'}: ${value.byteLength}]`;
    if (types.isAnyArrayBuffer(value)) return `[bytes: ${value.byteLength}]`;
    if (types.isMap(value)) return this.#entries(value, value.size);
    if (types.isSet(value)) return this.#list(value, value.size);
    if (types.isPromise(value)) return '[promise]';
    if (types.isRegExp(value)) return this.#string(String(value));
    if (isError(value)) return summarise(value, this.#limits.text);
    const { toJSON } = value as { toJSON?: unknown };
    return typeof toJSON === 'function' ? this.#asJson(value, toJSON.call(value, '')) : this.#properties(value);
  }

  /** What a `toJSON` returned; a `toJSON` of that is not called, or it could go on for ever. */
  #asJson(value: object, plain: unknown): unknown {
    if (typeof plain !== 'object' || plain === null) return this.copy(plain);
    return plain !== value && this.#ancestors.has(plain) ? '[circular]' : this.#properties(plain);
  }

  #properties(value: object): unknown {
    if (Array.isArray(value)) return this.#list(value, value.length);
    const keys = Object.keys(value);
    return this.#entries(lazily(value, keys), keys.length);
  }

  #entries(pairs: Iterable<readonly [unknown, unknown]>, size: number): Record<string, unknown> {
    const copied: Record<string, unknown> = {};
    let left = this.#limits.entries;
    for (const [key, read] of pairs) {
      if (--left < 0 || this.#values <= 0 || this.#text <= 0) {
        copied['…'] = `${size - Object.keys(copied).length} more`;
        break;
      }
      const name = typeof key === 'string' ? key : String(this.copy(key));
      set(copied, this.#key(name), isSensitiveKey(name) ? masked(read) : this.copy(read));
    }
    return copied;
  }

  #key(name: string): string {
    this.#text -= name.length;
    return name.length < 14 ? name : redactText(name, 256);
  }

  /** A value that follows a sensitive name in a list (`['authorization', 'Basic …']`) is hidden like under a key. */
  #list(items: Iterable<unknown>, size: number): unknown[] {
    const copied: unknown[] = [];
    let afterName = false;
    for (const item of items) {
      if (copied.length >= this.#limits.entries || this.#values <= 0 || this.#text <= 0) {
        copied.push(`… ${size - copied.length} more`);
        break;
      }
      const isText = typeof item === 'string';
      copied.push(afterName && isText ? HIDDEN : (this.copy(item) ?? null));
      afterName = isText && !afterName && isSensitiveName(item);
    }
    return copied;
  }
}

function* lazily(value: object, keys: readonly string[]): Generator<[string, unknown]> {
  for (const key of keys) {
    let read: unknown;
    try {
      read = (value as Record<string, unknown>)[key];
    } catch {
      read = UNREADABLE;
    }
    yield [key, read];
  }
}

/** That there is nothing, or a yes or no, is no secret and worth knowing. */
function masked(value: unknown): unknown {
  return value === null || value === undefined || typeof value === 'boolean' ? value : HIDDEN;
}

function set(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    target[key] = value;
  }
}
