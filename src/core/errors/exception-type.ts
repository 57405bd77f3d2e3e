import * as family from './app-http-error.ts';

const BUILT_IN = [TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError, AggregateError];
/** Chains end; only a proxy can pretend otherwise. */
const LONGEST_CHAIN = 32;

const names = new Map<object, string>();
for (const each of [...BUILT_IN, ...Object.values(family)]) {
  if (typeof each === 'function' && each.prototype instanceof Error) names.set(each.prototype, each.name);
}

/**
 * The class of what was thrown, from a closed set, for a metric's label: the language's own classes and the family of
 * `AppHttpError`. A class of a domain counts as the one of them that it extends, all else as `Error`. Goes by the class
 * and not by `name`, which anybody can set to anything. Never throws.
 */
export function exceptionTypeOf(thrown: unknown): string {
  let chain: unknown = thrown;
  try {
    for (let length = 0; length < LONGEST_CHAIN && typeof chain === 'object' && chain !== null; length++) {
      const name = names.get(chain);
      if (name !== undefined) return name;
      chain = Object.getPrototypeOf(chain);
    }
  } catch {
    // A proxy that does not let itself be looked at.
  }
  return 'Error';
}
