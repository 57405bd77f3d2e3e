import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Compared } from '../compare.ts';
import type { MemoryResult } from '../memory.ts';
import { LEAST_WARM_UP } from '../options.ts';
import type { StartResult } from '../start-time.ts';
import type { Workbench } from '../workbench.ts';
import type { Judgement } from './judge.ts';
import { describeMachine, versions } from './machine.ts';

export const RESULTS = join(import.meta.dirname, '..', 'results');
const LATEST = join(RESULTS, 'latest.json');
const BASELINE = join(RESULTS, 'baseline.json');
const LEAST_ROUNDS = 5;

export type Results = {
  finishedAt: string;
  machine: string;
  cores: string;
  versions: Readonly<Record<string, string>>;
  load: { tool: string; connections: number; seconds: number; rounds: number; warmUp: number };
  targets: readonly Judgement[];
  compared?: Compared;
  memory?: MemoryResult;
  start?: StartResult;
  /** Why the run is not valid, if it is not. */
  failures: readonly string[];
};

export type Parts = { compared?: Compared; memory?: MemoryResult; start?: StartResult };

export function assemble(bench: Workbench, parts: Parts, targets: readonly Judgement[]): Results {
  const { connections, seconds, rounds, warmUp } = bench.options;
  return {
    finishedAt: new Date().toISOString(),
    machine: describeMachine(),
    cores: bench.pinning.note,
    versions: versions(bench.tool),
    load: { tool: bench.tool.name, connections, seconds, rounds, warmUp },
    targets,
    ...parts,
    failures: [...(parts.compared?.failures ?? []), ...(parts.memory?.failures ?? [])],
  };
}

export function writeLatest(results: Results): void {
  write(LATEST, results);
}

/** Why these results may not become the baseline: nothing when they may. */
export function reasonsNotToStore(results: Results, isPinned: boolean): string[] {
  const { load, compared, memory, start, failures } = results;
  return [
    ...(load.tool === 'wrk' ? [] : [`ratios of ${load.tool} are not stored: install wrk`]),
    ...(isPinned ? [] : [`servers and load shared their cores (${results.cores})`]),
    ...(load.warmUp >= LEAST_WARM_UP ? [] : [`a warm-up of ${load.warmUp} requests is too short`]),
    ...(load.rounds >= LEAST_ROUNDS ? [] : [`${load.rounds} rounds are too few`]),
    ...(compared && memory && start ? [] : ['only a part was measured']),
    ...(failures.length === 0 ? [] : ['the run has failed']),
  ];
}

export function writeBaseline(results: Results): void {
  write(BASELINE, results);
}

/** The stored results. Throws when there are none. */
export function readBaseline(): Results {
  if (!existsSync(BASELINE)) throw new Error('Nothing is stored to compare with: run "npm run bench -- --save" first');
  return JSON.parse(readFileSync(BASELINE, 'utf8')) as Results;
}

function write(path: string, results: Results): void {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(path, `${JSON.stringify(results, rounded, 2)}\n`);
}

/** Three digits behind the point are more than any machine means. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 1000) / 1000 : value;
}
