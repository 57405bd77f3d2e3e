import { compare } from './compare.ts';
import { measureMemory } from './memory.ts';
import { type BenchOptions, LEAST_WARM_UP } from './options.ts';
import { takeProfile } from './profile.ts';
import { judge } from './report/judge.ts';
import { assemble, type Parts, type Results, writeLatest } from './report/results.ts';
import { comparisonTable, targetTable } from './report/table.ts';
import { measureStart } from './start-time.ts';
import { say, Workbench } from './workbench.ts';

export type Outcome = { results: Results; isPinned: boolean };

/** Runs what the options ask for and says what came out; `undefined` after a profile. Ends all that it has started. */
export async function runBenchmark(options: BenchOptions, signal: AbortSignal): Promise<Outcome | undefined> {
  const bench = await Workbench.open(options, signal);
  try {
    say(`${bench.tool.name} ${bench.tool.version}, ${options.connections} connections; ${bench.pinning.note}`);
    if (options.warmUp < LEAST_WARM_UP) say(`A warm-up of ${options.warmUp} requests: believe none of this`);
    if (options.mode === 'profile') {
      await takeProfile(bench);
      return undefined;
    }
    const parts = await measureParts(bench);
    const results = assemble(bench, parts, judge(parts));
    writeLatest(results);
    report(results);
    return { results, isPinned: bench.pinning.pinned };
  } finally {
    await bench.close();
  }
}

async function measureParts(bench: Workbench): Promise<Parts> {
  const { mode } = bench.options;
  const wants = (part: string) => mode === 'full' || mode === part;
  return {
    ...(wants('compare') ? { compared: await compare(bench) } : {}),
    ...(wants('start') ? { start: await measureStart(bench) } : {}),
    ...(wants('memory') ? { memory: await measureMemory(bench) } : {}),
  };
}

function report({ machine, compared, memory, targets, failures }: Results): void {
  say(`\n${machine}, Node ${process.versions.node}\n`);
  if (compared !== undefined) say(`${comparisonTable(compared).join('\n')}\n`);
  for (const note of compared?.notes ?? []) say(`Note: ${note}`);
  for (const { requests, residentBytes } of memory === undefined ? [] : [memory.early, memory.late]) {
    say(`${Math.round(residentBytes / 1024 ** 2)} MiB resident after ${requests} requests`);
  }
  if (targets.length > 0) say(`${targetTable(targets).join('\n')}\n`);
  for (const failure of failures) say(`FAILED: ${failure}`);
}
