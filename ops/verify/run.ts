import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServiceIn } from '../../scripts/started-service.ts';
import { startEmbeddedStores } from '../../src/db/embedded/index.ts';
import { ROOT } from '../names/expressions.ts';
import { prometheusAt, until } from './ask.ts';
import { dashboardChecks } from './dashboard-checks.ts';
import { openAccount } from './incident.ts';
import { incidentChecks } from './incident-checks.ts';
import { otlpMetricsCheck } from './otlp-metrics-check.ts';
import { COLLECTOR_URL, findPeers, PEERS, type PeerName, startPeer, versionOf } from './peers.ts';
import { PEERS_VARIABLE, runProgram } from './programs.ts';
import { type Check, judge, lineOf, type Result, summaryOf } from './report.ts';
import { openWay } from './way.ts';

/*
 * `npm run verify:observability`: Okapi, and whichever of Prometheus, promtool, the OpenTelemetry Collector, Jaeger,
 * VictoriaLogs and VictoriaMetrics are in a folder of OKAPI_PEERS or on PATH. It does three things to the service (a slow query, a burst of
 * errors, Mongo away) and asks the others, by their own query APIs, whether an alert fires and leads to the cause.
 *
 * The rules are the shipped ones, but that time passes sixty times as fast (see fast-rules.ts).
 */

const SERVERS = ['jaeger', 'victoria-logs', 'otelcol', 'prometheus'] as const;
const SCRAPED_WITHIN_MS = 20_000;
const FAST_HASHES = { ARGON2_MEMORY_KIB: '7168', ARGON2_TIME_COST: '1' };

const peers = findPeers();
const missing = new Set<string>((Object.keys(PEERS) as PeerName[]).filter((name) => !peers.has(name)));
const folder = mkdtempSync(join(tmpdir(), 'okapi-verify-'));
const endings: (() => Promise<void>)[] = [];
const results: Result[] = [];
let isCalledOff = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void callOff());

try {
  for (const [name, file] of peers) say(`${name} ${versionOf(name, file)}`);
  if (missing.size > 0) say(`not found in ${PEERS_VARIABLE} or PATH: ${[...missing].join(', ')}`);
  await judgeAll([...fileChecks(), otlpMetricsCheck(folder, peers.get('victoria-metrics'))]);
  if (!missing.has('prometheus')) await judgeAll(await startAll());
  else await judgeAll(withoutPrometheus());
} finally {
  await endAll();
}
say(summaryOf(results));
process.exitCode = isCalledOff || results.some(({ verdict }) => verdict === 'falls short') ? 1 : 0;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function judgeAll(checks: readonly Check[]): Promise<void> {
  for (const check of checks) {
    if (isCalledOff) return;
    const result = await judge(check, missing);
    results.push(result);
    say(lineOf(result));
  }
}

/** What the programs say of the shipped files. */
function fileChecks(): Check[] {
  const file = (path: string) => join(ROOT, path);
  const by = (name: PeerName, args: readonly string[], seen: (output: string) => string): Check => ({
    name: `${name} ${args.map((arg) => arg.replace(`${ROOT}/`, '')).join(' ')}`,
    needs: [name],
    run: async () => seen(runProgram(peers.get(name) ?? '', args)),
  });
  return [
    by(
      'promtool',
      ['check', 'rules', file('ops/prometheus/okapi.rules.yml')],
      (said) => /\d+ rules/.exec(said)?.[0] ?? '',
    ),
    by(
      'promtool',
      ['test', 'rules', file('ops/prometheus/okapi.rules.test.yml')],
      (said) => /SUCCESS/.exec(said)?.[0] ?? said,
    ),
    by('promtool', ['check', 'config', file('ops/prometheus/prometheus.yml')], () => ''),
    by('otelcol', ['validate', `--config=${file('otel-collector.yaml')}`], () => 'with no variable set'),
  ];
}

/** Stores, Okapi, and the servers that were found; then the checks that need them. */
async function startAll(): Promise<Check[]> {
  const name = 'okapi';
  const dataDir = join(folder, 'stores');
  const wanted = { dataDir, postgres: { databases: [name] }, mongo: true, mongoDb: name, onStep: () => undefined };
  const stores = await startEmbeddedStores(wanted);
  endings.push(stores.stop);
  const databaseUrl = stores.databaseUrl?.(name) ?? '';
  const mongo = await openWay(stores.mongoUrl ?? '');
  endings.push(mongo.cut);

  mkdirSync(join(folder, 'service'));
  const service = startServiceIn(join(folder, 'service'), {
    ...FAST_HASHES,
    DATABASE_URL: databaseUrl,
    MONGO_URL: mongo.url,
    ...(missing.has('otelcol')
      ? {}
      : {
          OTEL_EXPORTER_OTLP_ENDPOINT: COLLECTOR_URL,
          OTEL_BSP_SCHEDULE_DELAY: '500',
          OTEL_METRIC_EXPORT_INTERVAL: '2000',
        }),
  });
  endings.push(service.stop);
  const { port } = await service.ready;
  const url = `http://127.0.0.1:${port}`;

  const urls = new Map<string, string>();
  for (const server of SERVERS) {
    const program = peers.get(server);
    if (program === undefined) continue;
    const started = await startPeer(server, program, folder, [new URL(url).host]);
    endings.push(started.stop);
    urls.set(server, started.url);
  }
  const prometheus = prometheusAt(urls.get('prometheus') ?? '');
  await until('the first scrape', SCRAPED_WITHIN_MS, async () => (await prometheus.query('up{job="okapi"} == 1'))[0]);
  const account = await openAccount(url);
  const asked = { prometheus, jaegerUrl: urls.get('jaeger') ?? '', logsUrl: urls.get('victoria-logs') ?? '' };
  return [...incidentChecks({ url, databaseUrl, mongo, account }, asked), ...dashboardChecks(url, prometheus)];
}

/** The same checks, none of which can be run, so that the table says what was left out. */
function withoutPrometheus(): Check[] {
  const nowhere = { prometheus: prometheusAt(''), jaegerUrl: '', logsUrl: '' };
  const way = { url: '', cut: async () => undefined, mend: async () => undefined };
  const account = { email: '', password: '', accessToken: '', refreshToken: '' };
  return [
    ...incidentChecks({ url: '', databaseUrl: '', mongo: way, account }, nowhere),
    ...dashboardChecks('', nowhere.prometheus),
  ];
}

async function callOff(): Promise<void> {
  isCalledOff = true;
  await endAll();
}

async function endAll(): Promise<void> {
  for (let end = endings.pop(); end !== undefined; end = endings.pop()) await end();
  rmSync(folder, { recursive: true, force: true });
}
