import { setPriority } from 'node:os';

/**
 * The command that runs `command` before all else on its core, where that is allowed. The load shares its core with what
 * counts spans and lines, and must not wait for it: that wait would be taken for the server's.
 */
export function preferred(command: readonly string[]): readonly string[] {
  return process.getuid?.() === 0 ? ['nice', '-n', '-10', ...command] : command;
}

/**
 * Lets this thread run before all else on its core while `work` does, where that is allowed: what it would wait for the
 * load beside it would be taken for the server's slowness. Threads and processes that are there already stay as they are.
 */
export async function preferringThisThread<T>(work: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return work();
  setPriority(process.pid, -10);
  try {
    return await work();
  } finally {
    setPriority(process.pid, 0);
  }
}
