import { runBenchmark } from './benchmark.ts';
import { runCommand } from './command.ts';
import { parseOptions } from './options.ts';
import type { Judgement } from './report/judge.ts';
import { readBaseline } from './report/results.ts';
import { areApart } from './report/statistics.ts';
import { store } from './report/store.ts';
import { figure } from './report/table.ts';
import { say } from './workbench.ts';

/** `npm run bench:check`: as `npm run bench`, held against the stored results; a missed target is exit code 1 too. */
await runCommand(async (signal) => {
  const baseline = readBaseline();
  const options = parseOptions(process.argv.slice(2));
  const outcome = await runBenchmark(options, signal);
  if (outcome === undefined) return 0;
  const { targets, failures, load } = outcome.results;
  if (load.tool === baseline.load.tool) say(comparison(targets, baseline.targets).join('\n'));
  else say(`Measured with ${load.tool}, stored with ${baseline.load.tool}: not compared`);
  if (options.save) store(outcome.results, outcome.isPinned);
  return failures.length === 0 && targets.every(({ isMet }) => isMet) ? 0 : 1;
});

/** What lies outside of the stored spread, and with it outside of the weather. */
function comparison(now: readonly Judgement[], stored: readonly Judgement[]): string[] {
  const moved = now.flatMap((target) => {
    const before = stored.find(({ id }) => id === target.id);
    if (before === undefined || !areApart(target, before)) return [];
    const better = target.median > before.median === (target.atLeast !== undefined);
    const change = `${figure(before.median)} to ${figure(target.median)}`;
    return [`Moved beyond the spread, for the ${better ? 'better' : 'worse'}: ${target.title}, ${change}`];
  });
  return moved.length > 0 ? moved : ['Nothing moved beyond the stored spread'];
}
