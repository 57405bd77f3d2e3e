import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Who runs on which core: servers on one, the load, the receiver and the stores on the others. */
export type Pinning = {
  pinned: boolean;
  /** What a reader of the result should know. */
  note: string;
  /** The command that runs `command` where servers run. */
  onServerCore(command: readonly string[]): readonly string[];
  /** The command that runs `command` on all cores. */
  onAllCores(command: readonly string[]): readonly string[];
};

/** Reads a list of cores as the kernel writes it, such as `0-3,8`. */
export function parseCores(list: string): number[] {
  return list
    .trim()
    .split(',')
    .flatMap((part) => {
      const [from = Number.NaN, to = from] = part.split('-').map(Number);
      return Array.from({ length: to - from + 1 }, (_, index) => from + index);
    });
}

/** Moves this process, and with it all that it starts, off the core of the servers, where the machine allows it. */
export function pinThisProcess(): Pinning {
  const same = (command: readonly string[]) => command;
  const unpinned = (note: string): Pinning => ({ pinned: false, note, onServerCore: same, onAllCores: same });
  const cores = allowedCores();
  if (cores.length < 2) return unpinned('not pinned: fewer than two cores');
  const [first, ...others] = cores;
  const moved = spawnSync('taskset', ['--all-tasks', '--pid', '--cpu-list', others.join(','), String(process.pid)]);
  if (moved.error !== undefined || moved.status !== 0) return unpinned('not pinned: taskset is missing or refused');
  return {
    pinned: true,
    note: `servers on core ${first}, load, receiver and stores on ${others.length === 1 ? 'core' : 'cores'} ${others.join(',')}`,
    onServerCore: (command) => ['taskset', '--cpu-list', String(first), ...command],
    onAllCores: (command) => ['taskset', '--cpu-list', cores.join(','), ...command],
  };
}

function allowedCores(): number[] {
  try {
    const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return list === undefined ? [] : parseCores(list);
  } catch {
    return [];
  }
}
