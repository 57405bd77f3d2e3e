import { setTimeout as delay } from 'node:timers/promises';
import type { LedgerView } from '../src/core/telemetry/ledger.ts';
import { runCommand } from './command.ts';
import { type Behaviour, type FaultyReceiver, startFaultyReceiver } from './counting/faulty-receiver.ts';
import { request } from './load/request.ts';
import { type Candidate, type Measurement, measure, send } from './measure.ts';
import { METRICS_TOKEN } from './okapi-settings.ts';
import { parseOptions } from './options.ts';
import { type Finding, finding, limit, sayFindings } from './report/findings.ts';
import { pairedRatio } from './report/statistics.ts';
import { startOkapi } from './start-candidates.ts';
import { say, Workbench } from './workbench.ts';

/*
 * `node bench/collector-trouble.ts [--rounds N] [--seconds N] [--warmup N]`: whether requests are slower while nobody
 * takes the spans. One Okapi, everything on; before each trouble the receiver is well for as long, and the two are
 * compared. No more than 5 % is promised, nor more memory than the queue explains. Afterwards every span must be
 * exported or counted as dropped.
 */

const TROUBLES: Readonly<Record<string, Behaviour | 'absent'>> = {
  absent: 'absent',
  'slow (10 s)': { kind: 'slow', ms: 10_000 },
  resetting: { kind: 'resets' },
  'full (429, Retry-After: 5)': { kind: 'refuses', status: 429, headers: { 'Retry-After': '5' } },
};
const AT_LEAST = 0.95;
const ASK_EVERY_MS = 250;
const DRAINED_WITHIN_MS = 90_000;
const MIB = 1024 ** 2;
/** What a queue of 32 MiB may hold, and as much again of garbage that is not collected yet. */
const MORE_MIB_AT_MOST = 64;

type Pair = { well: Measurement; ill: Measurement };

await runCommand(async (signal) => {
  const receiver = await startFaultyReceiver();
  const settings = ['--env', `OTEL_EXPORTER_OTLP_ENDPOINT=${receiver.url}`];
  const options = parseOptions([...settings, ...process.argv.slice(2)]);
  const bench = await Workbench.open(options, signal);
  try {
    const candidate = await startOkapi(bench, 'okapi');
    await send(bench, candidate, options.warmUp, options.seconds);
    const pairs = new Map<string, Pair[]>(Object.keys(TROUBLES).map((name) => [name, []]));
    for (let round = 0; round < options.rounds; round++) {
      for (const [name, trouble] of Object.entries(TROUBLES)) {
        await drained(candidate, signal);
        const well = await measure(bench, candidate, options.seconds);
        await begin(receiver, trouble);
        const ill = await measure(bench, candidate, options.seconds);
        await end(receiver);
        pairs.get(name)?.push({ well, ill });
        say(
          `round ${round + 1}/${options.rounds}  ${name.padEnd(28)} ${figure(well)} well, ${figure(ill)} meanwhile, ${Math.round((ill.residentBytes ?? 0) / MIB)} MiB`,
        );
      }
    }
    await drained(candidate, signal);
    const findings = [
      ...[...pairs].flatMap(([name, measured]) => [
        slowdown(name, measured),
        cost(name, measured),
        growth(name, measured),
      ]),
      ...(await kept(candidate, receiver)),
    ];
    await bench.stop(candidate.server);
    return sayFindings(findings, say);
  } finally {
    await receiver.down();
    await bench.close();
  }
});

async function begin(receiver: FaultyReceiver, trouble: Behaviour | 'absent'): Promise<void> {
  if (trouble === 'absent') await receiver.down();
  else receiver.behave(trouble);
}

async function end(receiver: FaultyReceiver): Promise<void> {
  await receiver.down();
  receiver.behave({ kind: 'takes' });
  await receiver.up();
}

function figure({ perSecond, p99Ms }: Measurement): string {
  return `${perSecond.toFixed(0)} requests/s p99 ${p99Ms.toFixed(1)} ms`;
}

function slowdown(name: string, pairs: readonly Pair[]): Finding {
  const { median, seen } = illOverWell(pairs, ({ perSecond }) => perSecond);
  return finding(`${name}: requests/s, of those while it is well`, seen, `at least ${AT_LEAST}`, median >= AT_LEAST);
}

/** What a request takes of the core, which a neighbour on a shared machine disturbs less than what can be answered. */
function cost(name: string, pairs: readonly Pair[]): Finding {
  const { seen } = illOverWell(pairs, ({ cpuMicroseconds = 0 }) => cpuMicroseconds);
  return finding(`${name}: CPU of a request, of that while it is well`, seen, 'shown', true);
}

function illOverWell(pairs: readonly Pair[], figureOf: (measured: Measurement) => number) {
  const { median, min, max } = pairedRatio(
    pairs.map(({ ill }) => figureOf(ill)),
    pairs.map(({ well }) => figureOf(well)),
  );
  return { median, seen: `${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})` };
}

/** How much more memory it takes at most than it did at most while the receiver was well. */
function growth(name: string, pairs: readonly Pair[]): Finding {
  const most = (of: 'well' | 'ill') => Math.max(...pairs.map((pair) => pair[of].residentBytes ?? 0));
  return limit(
    `${name}: more memory than while it is well`,
    (most('ill') - most('well')) / MIB,
    MORE_MIB_AT_MOST,
    'MiB',
  );
}

/** What became of the spans, by the ledger and by the receiver. */
async function kept(candidate: Candidate, receiver: FaultyReceiver): Promise<Finding[]> {
  const { started, exported, dropped } = (await ledgerOf(candidate)).spans;
  const lost = Object.values(dropped).reduce((total, count) => total + count, 0);
  const missing = started - exported - lost;
  return [
    finding('spans that are neither exported nor counted as dropped', String(missing), '0', missing === 0),
    finding(
      'spans exported, and different ones received',
      `${exported}, ${receiver.spans}`,
      'equal',
      exported === receiver.spans,
    ),
    finding('spans dropped, the queue of 32 MiB being full', String(dropped.queue_full), 'shown', true),
  ];
}

/** Waits until everything that was kept is sent. */
async function drained(candidate: Candidate, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + DRAINED_WITHIN_MS;
  while (performance.now() < deadline) {
    const { open, queued, sending } = (await ledgerOf(candidate)).spans.in_flight;
    if (open + queued + sending === 0) return;
    await delay(ASK_EVERY_MS, undefined, { signal });
  }
  throw new Error(`Not everything is exported after ${DRAINED_WITHIN_MS / 1000} s`);
}

async function ledgerOf({ server }: Candidate): Promise<Required<LedgerView>> {
  const headers = { Authorization: `Bearer ${METRICS_TOKEN}` };
  return JSON.parse((await request(`${server.running.url}/health`, { headers })).body).data.telemetry;
}
