import { readFileSync } from 'node:fs';
import os from 'node:os';

const TICKS_PER_SECOND = 100;

/**
 * How much of the machine its host gives to others, from now until asked: the share of all cores' time, as the kernel
 * counts it (`steal` of proc_stat(5)); undefined where it does not, as anywhere but on Linux.
 */
export function watchTaken(): () => number | undefined {
  const before = stolenTicks();
  const since = performance.now();
  return () => {
    const after = stolenTicks();
    if (before === undefined || after === undefined) return undefined;
    const ticks = (os.cpus().length * TICKS_PER_SECOND * (performance.now() - since)) / 1000;
    return (after - before) / ticks;
  };
}

function stolenTicks(): number | undefined {
  return os.platform() === 'linux' ? stolenTicksIn(readFileSync('/proc/stat', 'utf8')) : undefined;
}

/** Hundredths of a second of all cores since the machine started, by the text of `/proc/stat`. */
export function stolenTicksIn(stat: string): number | undefined {
  // user, nice, system, idle, iowait, irq, softirq, steal.
  const stolen = /^cpu +(?:\d+ ){7}(\d+)/.exec(stat)?.[1];
  return stolen === undefined ? undefined : Number(stolen);
}
