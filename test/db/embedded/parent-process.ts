import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

export interface Parent {
  process: ChildProcess;
  /** The next line it has written to stdout; rejects when it ends first, with what it wrote to stderr. */
  line(): Promise<string>;
  /** `kill -9`, and the kernel has taken it away. */
  kill(): Promise<void>;
}

const running = new Set<ChildProcess>();

/**
 * Runs a module's text in a Node process that can be killed in place of the test's own. `import` of the sources needs
 * absolute addresses: `import.meta.resolve('../../../src/…')`.
 */
export function startParent(
  source: string,
  args: string[],
  options: { env?: NodeJS.ProcessEnv; uid?: number; gid?: number } = {},
): Parent {
  const child = spawn(process.execPath, ['--input-type=module', '-e', source, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  });
  running.add(child);
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
  void gone.then(() => running.delete(child));
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    process: child,
    async line() {
      const { value, done } = await lines.next();
      if (done) throw new Error(`The parent has ended: ${stderr}`);
      return value;
    },
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/** For `afterEach`: kills the parents a test has left, also one that failed; their children end by that. */
export async function killParents(): Promise<void> {
  await Promise.all(
    [...running].map(async (child) => {
      const gone = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGKILL');
      await gone;
    }),
  );
}

/** Whether a process still runs; one that is dead and not yet waited for (a zombie) does not. */
export function isAlive(pid: number): boolean {
  try {
    const state =
      process.platform === 'linux'
        ? readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '')
        : execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
    return !state.startsWith('Z');
  } catch {
    return false;
  }
}
