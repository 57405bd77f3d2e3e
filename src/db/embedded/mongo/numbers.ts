import { Double, Int32, Long } from 'bson';
import { CommandError } from './command-error.ts';

const LARGEST = 2n ** 63n - 1n;

/**
 * `a + b` or `a * b` in the type MongoDB gives it: a double when one is, else the smaller integer type that holds both
 * operands' types, a 32-bit sum that overflows becoming a 64-bit one.
 * @throws CommandError `TypeMismatch` for what is no number, `BadValue` for Decimal128 and for a 64-bit overflow.
 */
export function calculate(operator: '$inc' | '$mul', a: unknown, b: unknown): Int32 | Long | Double {
  if (a instanceof Double || b instanceof Double) {
    const [x, y] = [toNumber(operator, a), toNumber(operator, b)];
    return new Double(operator === '$inc' ? x + y : x * y);
  }
  const [x, y] = [toBigInt(operator, a), toBigInt(operator, b)];
  const result = operator === '$inc' ? x + y : x * y;
  if (result > LARGEST || result < -LARGEST - 1n) throw new CommandError('BadValue', `${operator} overflows 64 bits`);
  const fits = result >= -0x8000_0000n && result <= 0x7fff_ffffn;
  return a instanceof Int32 && b instanceof Int32 && fits ? new Int32(Number(result)) : Long.fromBigInt(result);
}

function toNumber(operator: string, value: unknown): number {
  if (value instanceof Double || value instanceof Int32) return value.valueOf();
  return Number(toBigInt(operator, value));
}

function toBigInt(operator: string, value: unknown): bigint {
  if (value instanceof Int32) return BigInt(value.valueOf());
  if (value instanceof Long) return value.toBigInt();
  throw new CommandError('TypeMismatch', `Cannot apply ${operator} to a value that is no int, long or double`);
}

/**
 * A whole number that a client gives as an option (`limit`, `batchSize`), of whatever numeric type.
 * @throws CommandError `BadValue` when it is none, or less than `least`.
 */
export function toInteger(value: unknown, name: string, least = 0): number {
  const number = Long.isLong(value) ? value.toNumber() : value;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < least) {
    throw new CommandError('BadValue', `${name} must be a whole number of at least ${least}`);
  }
  return number;
}

/** `toInteger`, `undefined` where the option is not given. */
export function optionalInteger(value: unknown, name: string, least = 0): number | undefined {
  return value === undefined || value === null ? undefined : toInteger(value, name, least);
}
