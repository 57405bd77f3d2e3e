import { setTimeout as delay } from 'node:timers/promises';
import { Missing } from './counting/missing.ts';
import { type Measurement, measure, send } from './measure.ts';
import { startCandidates } from './start-candidates.ts';
import { selectSubjects } from './subjects.ts';
import type { Workbench } from './workbench.ts';

export type Compared = {
  rounds: Readonly<Record<string, readonly Measurement[]>>;
  /** Server spans received of requests sent, of those that trace. */
  tracedShare: Readonly<Record<string, number>>;
  bodyBytes: Readonly<Record<string, number>>;
  failures: readonly string[];
  notes: readonly string[];
};

const WARM_UP_SECONDS = 4;
// Between two measurements: what the last one left to write or to send is written and sent.
const PAUSE_MS = 500;

/** Interleaved rounds of all subjects, in an order that turns by one each round, after every one has been warmed up. */
export async function compare(bench: Workbench): Promise<Compared> {
  const { options, signal } = bench;
  const notes: string[] = [];
  const { candidates, bodyBytes } = await startCandidates(bench, selectSubjects(options.only), notes);
  const servers = [...new Set(candidates.map(({ server }) => server))];
  for (const candidate of candidates) {
    bench.say(`warm-up    ${candidate.subject.title}`);
    await send(bench, candidate, options.warmUp, WARM_UP_SECONDS);
  }
  const rounds: Record<string, Measurement[]> = {};
  const missing = new Missing(signal);
  await missing.look(servers, 'warm-up');
  for (let round = 0; round < options.rounds; round++) {
    const turn = round % candidates.length;
    for (const candidate of [...candidates.slice(turn), ...candidates.slice(0, turn)]) {
      const { subject, server } = candidate;
      const result = await measure(bench, candidate, options.seconds);
      rounds[subject.id] = [...(rounds[subject.id] ?? []), result];
      const { perSecond, p99Ms } = result;
      bench.say(
        `round ${round + 1}/${options.rounds}  ${subject.title.padEnd(34)} ${perSecond.toFixed(0).padStart(7)} requests/s  p99 ${p99Ms.toFixed(1)} ms`,
      );
      await missing.look([server], `round ${round + 1}`);
      await delay(PAUSE_MS, undefined, { signal });
    }
  }
  const problems = servers.flatMap(({ id, problems }) => problems.map((problem) => `${id}: ${problem}`));
  const shares = servers.map(({ id, tracedShare }) => [id, tracedShare] as const);
  const tracedShare = Object.fromEntries(shares.filter((entry): entry is [string, number] => entry[1] !== undefined));
  for (const server of servers) await bench.stop(server);
  return { rounds, tracedShare, bodyBytes, failures: [...missing.lines, ...new Set(problems)], notes };
}
