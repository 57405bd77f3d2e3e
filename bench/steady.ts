import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runCommand } from './command.ts';
import { assertVegeta } from './load/vegeta.ts';
import { parseOptions } from './options.ts';
import { measureOverload } from './overload.ts';
import { type Finding, sayFindings } from './report/findings.ts';
import { describeMachine } from './report/machine.ts';
import { RESULTS } from './report/results.ts';
import { soak } from './soak.ts';
import { say, Workbench } from './workbench.ts';

const RESULT = join(RESULTS, 'steady.json');

/** `npm run bench:steady`: the soak and the overload. Exit code 1 when a target is missed. */
await runCommand(async (signal) => {
  const { values } = parseArgs({
    options: { minutes: { type: 'string', default: '10' }, only: { type: 'string' } },
  });
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new Error('--minutes must be a number above 0');
  if (![undefined, 'soak', 'overload'].includes(values.only)) throw new Error('--only must be soak or overload');
  assertVegeta();
  const work = join(import.meta.dirname, '.work');
  mkdirSync(work, { recursive: true });
  const folder = mkdtempSync(join(work, 'steady-'));
  // The limit as it is by default: the comparison sets it out of reach.
  const env = [`PROBE_FILE=${join(folder, 'probe.jsonl')}`, 'MAX_EVENT_LOOP_DELAY_MS=200'];
  const bench = await Workbench.open(parseOptions(env.flatMap((setting) => ['--env', setting])), signal);
  try {
    const findings: Finding[] = [];
    if (values.only !== 'overload') findings.push(...keep('soak', await soak(bench, folder, minutes), { minutes }));
    if (values.only !== 'soak') findings.push(...keep('overload', await measureOverload(bench, folder)));
    return sayFindings(findings, say);
  } finally {
    await bench.close();
    rmSync(folder, { recursive: true });
  }
});

/** Puts what was found in the place of what an earlier run found of the same part; the other part stays. */
function keep(part: 'soak' | 'overload', findings: Finding[], how: { minutes?: number } = {}): Finding[] {
  const before: unknown = existsSync(RESULT) ? JSON.parse(readFileSync(RESULT, 'utf8')) : {};
  const found = { finishedAt: new Date().toISOString(), machine: describeMachine(), ...how, findings };
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(RESULT, `${JSON.stringify({ ...(before as object), [part]: found }, undefined, 2)}\n`);
  return findings;
}
