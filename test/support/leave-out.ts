import type { Context } from 'mocha';

/** Leaves the running test out where it cannot be had, and says why in its title. */
export function leaveOut(context: Context, reason: string): never {
  if (context.test) context.test.title += ` (left out: ${reason})`;
  return context.skip();
}
