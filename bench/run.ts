import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runBenchmark } from './benchmark.ts';
import { runCommand } from './command.ts';
import { parseOptions } from './options.ts';
import { barsOf, plot } from './report/plot.ts';
import { type Results, reasonsNotToStore, writeBaseline } from './report/results.ts';
import { ROOT } from './servers.ts';
import { say } from './workbench.ts';

/** `npm run bench`: exit code 1 when not everything came out that went in, or something was not answered with 2xx. */
await runCommand(async (signal) => {
  const options = parseOptions(process.argv.slice(2));
  const outcome = await runBenchmark(options, signal);
  if (outcome === undefined) return 0;
  const { results, isPinned } = outcome;
  if (options.save) store(results, reasonsNotToStore(results, isPinned));
  return results.failures.length === 0 ? 0 : 1;
});

function store(results: Results, reasonsAgainst: readonly string[]): void {
  if (reasonsAgainst.length > 0) {
    say(`Not stored: ${reasonsAgainst.join('; ')}`);
    return;
  }
  writeBaseline(results);
  if (results.compared !== undefined) {
    const { rounds, connections } = results.load;
    const subtitle = `requests/s of GET / over those of node:http, ${rounds} rounds, ${connections} connections; line: lowest to highest round`;
    writeFileSync(
      join(ROOT, 'docs', 'performance.svg'),
      plot(barsOf(results.compared), 'Okapi and its peers', subtitle),
    );
  }
  say('Stored in bench/results/baseline.json and docs/performance.svg');
}
