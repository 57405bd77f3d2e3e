import { readdirSync, readFileSync } from 'node:fs';

/** What a process and its descendants have used. */
export type Usage = { cpuMicroseconds: number; residentBytes: number };

// USER_HZ: 100 on every architecture that Node runs on.
const MICROSECONDS_PER_TICK = 10_000;

/** Reads it from /proc; `undefined` where there is none. */
export function usageOf(pid: number): Usage | undefined {
  try {
    const own = { cpuMicroseconds: cpuOf(readFileSync(`/proc/${pid}/stat`, 'utf8')), residentBytes: residentOf(pid) };
    return childrenOf(pid).reduce((sum, child) => plus(sum, usageOf(child)), own);
  } catch {
    return undefined;
  }
}

/** User and system time out of /proc/<pid>/stat; the command's name in it may contain spaces and brackets. */
export function cpuOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MICROSECONDS_PER_TICK;
}

function residentOf(pid: number): number {
  const kib = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib ?? 0) * 1024;
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    const list = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim();
    return list === '' ? [] : list.split(' ').map(Number);
  });
}

function plus(a: Usage, b: Usage | undefined): Usage {
  if (b === undefined) return a;
  return {
    cpuMicroseconds: a.cpuMicroseconds + b.cpuMicroseconds,
    residentBytes: a.residentBytes + b.residentBytes,
  };
}
