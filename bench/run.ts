import { runBenchmark } from './benchmark.ts';
import { runCommand } from './command.ts';
import { parseOptions } from './options.ts';
import { store } from './report/store.ts';

/** `npm run bench`: exit code 1 when not everything came out that went in, or something was not answered with 2xx. */
await runCommand(async (signal) => {
  const options = parseOptions(process.argv.slice(2));
  const outcome = await runBenchmark(options, signal);
  if (outcome === undefined) return 0;
  const { results, isPinned } = outcome;
  if (options.save) store(results, isPinned);
  return results.failures.length === 0 ? 0 : 1;
});
