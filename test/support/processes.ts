import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { expect } from 'chai';
import { eventually } from './eventually.ts';

/** A process that runs. `command` is its command line; its arguments are parted by spaces. */
export type Running = { pid: number; command: string };

/**
 * The processes that belong to a folder: it stands in their command line, in their environment, or they work in it. A
 * service that was given its data and logs there is one of them, and so are its stores and whoever started it.
 */
export function processesOf(folder: string): Running[] {
  return all()
    .filter(({ pid, traces }) => pid !== process.pid && traces.some((trace) => trace.includes(folder)))
    .map(({ pid, command }) => ({ pid, command }));
}

/**
 * Expects that nothing of a folder runs any more. A shell that watched a store may have a `sleep` that ends a moment
 * after it.
 */
export async function expectNoneLeft(folder: string): Promise<void> {
  await eventually(() => processesOf(folder).length === 0).catch(() => {
    expect(processesOf(folder)).to.deep.equal([]);
  });
}

/** For `after`: ends at once what a test has left behind in a folder. */
export async function endProcessesOf(folder: string): Promise<void> {
  for (const { pid } of processesOf(folder)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself meanwhile.
    }
  }
  await eventually(() => processesOf(folder).length === 0);
}

function all(): (Running & { traces: string[] })[] {
  return process.platform === 'linux' ? fromProc() : fromPs();
}

function fromProc(): (Running & { traces: string[] })[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        // A process that is dead and not yet waited for has none.
        if (command === '') return [];
        const traces = [command, ifAllowed(() => readFileSync(`/proc/${name}/environ`, 'utf8'))];
        return [
          { pid: Number(name), command, traces: [...traces, ifAllowed(() => readlinkSync(`/proc/${name}/cwd`))] },
        ];
      } catch {
        return [];
      }
    });
}

function ifAllowed(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}

function fromPs(): (Running & { traces: string[] })[] {
  return execFileSync('ps', ['-axwwE', '-o', 'pid=,command='], { encoding: 'utf8' })
    .split('\n')
    .flatMap((line) => {
      const [, pid, command] = /^\s*(\d+) (.*)$/.exec(line) ?? [];
      return pid === undefined || command === undefined ? [] : [{ pid: Number(pid), command, traces: [command] }];
    });
}
