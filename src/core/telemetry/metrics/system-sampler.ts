import { readFile } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import { type CpuReading, type ReadText, readContainerCpu, readContainerMemory } from './cgroup.ts';

export type SystemSamplerOptions = {
  /** Where `/proc` and `/sys` are looked for. */
  readonly root?: string;
  /** A monotonic clock, milliseconds. */
  readonly now?: () => number;
};

type CpuSample = CpuReading & { readonly source: 'container' | 'host'; readonly atSeconds: number };

/** Ticks a second in `/proc/stat`; fixed for user space on every architecture Node runs on. */
const USER_HZ = 100;

/** Reads how much of memory and CPU is used: of the container's limit where there is one, else of the host. */
export class SystemSampler {
  readonly #read: ReadText;
  readonly #now: () => number;
  #previous: CpuSample | undefined;

  constructor({ root = '/', now = () => performance.now() }: SystemSamplerOptions = {}) {
    this.#read = (path) => readFile(join(root, path), 'utf8').catch(() => undefined);
    this.#now = now;
  }

  /** Percent of memory in use, 0 to 100. */
  async memoryPercent(): Promise<number> {
    const host = await this.#hostMemory();
    const { usedBytes, limitBytes } = (await readContainerMemory(this.#read, host.limitBytes)) ?? host;
    return percent(usedBytes / limitBytes);
  }

  /** Percent of CPU used since the call before, 0 to 100; `undefined` on the first call and after the limit appeared. */
  async cpuPercent(): Promise<number | undefined> {
    const previous = this.#previous;
    const sample = await this.#cpuSample();
    this.#previous = sample;
    if (previous === undefined || previous.source !== sample.source) return undefined;
    const available = (sample.atSeconds - previous.atSeconds) * sample.cores;
    return available > 0 ? percent((sample.busySeconds - previous.busySeconds) / available) : undefined;
  }

  async #hostMemory() {
    const info = await this.#read('/proc/meminfo');
    const total = kibibytes(info, 'MemTotal') ?? os.totalmem();
    // What is available counts caches that give way; what is free does not.
    const free = kibibytes(info, 'MemAvailable') ?? os.freemem();
    return { usedBytes: total - free, limitBytes: total };
  }

  async #cpuSample(): Promise<CpuSample> {
    const host = await this.#hostCpu();
    const container = await readContainerCpu(this.#read, host.cores);
    const source = container === undefined ? 'host' : 'container';
    return { ...(container ?? host), source, atSeconds: this.#now() / 1000 };
  }

  async #hostCpu(): Promise<CpuReading> {
    const lines = (await this.#read('/proc/stat'))?.split('\n').filter((line) => line.startsWith('cpu')) ?? [];
    const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (lines[0] ?? '')
      .split(/\s+/)
      .slice(1)
      .map(Number);
    const cores = lines.length - 1;
    if (cores > 0) return { busySeconds: (user + nice + system + irq + softirq + steal) / USER_HZ, cores };
    const cpus = os.cpus();
    const busyMs = cpus.reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
    return { busySeconds: busyMs / 1000, cores: Math.max(1, cpus.length) };
  }
}

function kibibytes(info: string | undefined, name: string): number | undefined {
  const value = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(info ?? '')?.[1];
  return value === undefined ? undefined : Number(value) * 1024;
}

function percent(share: number): number {
  return Math.min(100, Math.max(0, share * 100));
}
