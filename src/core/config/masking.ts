import { inspect } from 'node:util';

/** What stands for a secret wherever settings are shown: `•••• (32 bytes)`. */
export function maskSecret(value: unknown): unknown {
  return typeof value === 'string' ? `•••• (${Buffer.byteLength(value)} bytes)` : value;
}

/**
 * Freezes an object of which the properties named in `secrets` are masked however it is printed: as JSON, by `inspect`
 * and the console, in a log. Reading them gives the values.
 */
export function maskWhenPrinted<T extends object>(values: T, secrets: ReadonlySet<string>): Readonly<T> {
  const masked = () =>
    Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, secrets.has(key) ? maskSecret(value) : value]),
    );
  const hidden = { enumerable: false, value: masked };
  Object.defineProperties(values, { toJSON: hidden, [inspect.custom]: hidden });
  return Object.freeze(values);
}
