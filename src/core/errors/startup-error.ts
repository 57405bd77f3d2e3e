/**
 * A reason not to start that the person starting Okapi can mend. Its message is complete on one line: what is wrong,
 * the setting to change, what is allowed. It is printed alone, without a stack, and the process exits with 1.
 */
export class StartupError extends Error {
  override name = 'StartupError';
}
