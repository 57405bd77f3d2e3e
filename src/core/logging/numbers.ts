const FRACTION: readonly string[] = Array.from({ length: 1000 }, (_, thousandths) =>
  thousandths === 0 ? '' : `.${String(thousandths).padStart(3, '0').replace(/0+$/, '')}`,
);
const LARGEST_QUICK = 2_000_000;

/** Milliseconds with at most three decimals, without formatting a double. What is no positive number is `0`. */
export function formatMs(ms: number): string {
  if (!(ms > 0)) return '0';
  if (ms > LARGEST_QUICK) return String(Math.round(ms));
  const micros = Math.round(ms * 1000);
  const whole = (micros / 1000) | 0;
  return whole + (FRACTION[micros - whole * 1000] ?? '');
}

/** Milliseconds with at most one decimal, for people. */
export function formatTenths(ms: number): string {
  if (!(ms > 0)) return '0';
  const tenths = Math.round(ms * 10);
  const whole = Math.floor(tenths / 10);
  return tenths === whole * 10 ? String(whole) : `${whole}.${tenths - whole * 10}`;
}
