import { listenForStop } from '../src/signals.ts';
import { USAGE } from './options.ts';

const INTERRUPTED = 130;

/**
 * Runs a command of the benchmark and sets the exit code that it returns. A signal ends it in order: `signal` aborts,
 * and what was started is ended on the way out.
 */
export async function runCommand(command: (signal: AbortSignal) => Promise<number>): Promise<void> {
  const { signal } = listenForStop();
  if (process.argv.includes('--help')) {
    process.stdout.write(`${USAGE}\n`);
    process.exit(0);
  }
  try {
    process.exitCode = await command(signal);
  } catch (error) {
    process.exitCode = signal.aborted ? INTERRUPTED : 1;
    const line = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${signal.aborted ? 'Interrupted' : line}\n`);
  }
  process.exit();
}
