import { writeSync } from 'node:fs';

/**
 * A reason not to start that the person starting Okapi can mend. Its message is complete on one line a problem: what is
 * wrong, the setting to change, what is allowed. It is printed alone, without a stack, and the process exits with 1.
 */
export class StartupError extends Error {
  override name = 'StartupError';
}

/** Prints a `StartupError`, one line a problem on stderr, and exits with 1; any other error is thrown on. */
export function failToStart(error: unknown): never {
  if (!(error instanceof StartupError)) throw error;
  writeSync(2, error.message.replace(/^/gm, 'okapi: ').concat('\n'));
  process.exit(1);
}
