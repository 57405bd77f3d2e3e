import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../names/expressions.ts';
import { fasterRules } from './fast-rules.ts';
import { findProgram, type Program, runProgram, startProgram } from './programs.ts';

/** The programs that can take part, each with what it says of its version. */
export const PEERS = {
  prometheus: ['--version'],
  promtool: ['--version'],
  otelcol: ['--version'],
  jaeger: ['version'],
  'victoria-logs': ['--version'],
  'victoria-metrics': ['--version'],
} as const;
export type PeerName = keyof typeof PEERS;

/** Where each program is that was found. */
export function findPeers(): ReadonlyMap<PeerName, string> {
  const found = (Object.keys(PEERS) as PeerName[]).map((name) => [name, findProgram(name)] as const);
  return new Map(found.filter((each): each is [PeerName, string] => each[1] !== undefined));
}

/** The version that a program tells of itself; one built from source may tell none. */
export function versionOf(name: PeerName, file: string): string {
  const said = runProgram(file, PEERS[name]);
  return /v?(\d+\.\d+\.\d+)/.exec(said)?.[1] ?? 'of a version that it does not tell';
}

/** An address of this machine's own, so that the usual ports are free on it. */
const HOST = `127.0.${1 + Math.floor(Math.random() * 250)}.${1 + Math.floor(Math.random() * 250)}`;
export const COLLECTOR_URL = `http://${HOST}:4318`;
const TRACES_PORT = '14317';

/** Starts a peer as it is configured here. `targets` are what Prometheus scrapes. */
export function startPeer(
  name: Exclude<PeerName, 'promtool'>,
  file: string,
  folder: string,
  targets: readonly string[],
): Promise<Program> {
  const common = { file, folder, name };
  switch (name) {
    case 'jaeger': {
      const env = { JAEGER_HOST: HOST, JAEGER_OTLP_PORT: TRACES_PORT };
      const args = [`--config=${join(ROOT, 'ops/jaeger.yaml')}`];
      return startProgram({ ...common, args, url: `http://${HOST}:16686`, readyPath: '/api/services', env });
    }
    case 'victoria-logs': {
      const args = [`-httpListenAddr=${HOST}:9428`, `-storageDataPath=${join(folder, 'logs-data')}`];
      return startProgram({ ...common, args, url: `http://${HOST}:9428`, readyPath: '/health' });
    }
    case 'victoria-metrics': {
      const args = [
        `-httpListenAddr=${HOST}:8428`,
        `-storageDataPath=${join(folder, 'metrics-data')}`,
        '-search.latencyOffset=0s',
      ];
      return startProgram({ ...common, args, url: `http://${HOST}:8428`, readyPath: '/health' });
    }
    case 'otelcol': {
      const args = [`--config=${join(ROOT, 'otel-collector.yaml')}`];
      return startProgram({ ...common, args, url: `http://${HOST}:13133`, readyPath: '/', env: COLLECTOR_SETTINGS });
    }
    case 'prometheus': {
      const args = [
        `--config.file=${writePrometheusConfig(folder, targets)}`,
        `--storage.tsdb.path=${join(folder, 'metrics-data')}`,
        `--web.listen-address=${HOST}:9090`,
        '--enable-feature=exemplar-storage',
      ];
      return startProgram({ ...common, args, url: `http://${HOST}:9090`, readyPath: '/-/ready' });
    }
  }
}

/** Slow and failed traces, and a tenth of the rest, as shipped; the metrics that also come by OTLP must not be counted. */
const COLLECTOR_SETTINGS = {
  COLLECTOR_HOST: HOST,
  COLLECTOR_TRACES_EXPORTERS: '[otlp_grpc]',
  COLLECTOR_METRICS_EXPORTERS: '[prometheus]',
  COLLECTOR_LOGS_EXPORTERS: '[otlp_http]',
  COLLECTOR_GRPC_ENDPOINT: `${HOST}:${TRACES_PORT}`,
  COLLECTOR_GRPC_INSECURE: 'true',
  COLLECTOR_HTTP_LOGS_ENDPOINT: `http://${HOST}:9428/insert/opentelemetry/v1/logs`,
  // Longer than a request takes to give Mongo up.
  COLLECTOR_DECISION_WAIT: '5s',
};

/** The shipped configuration with other targets, scraped each second, and the shipped rules, sixty times as fast. */
function writePrometheusConfig(folder: string, targets: readonly string[]): string {
  mkdirSync(join(folder, 'prometheus'), { recursive: true });
  const read = (file: string) => readFileSync(join(ROOT, 'ops/prometheus', file), 'utf8');
  const quoted = targets.map((target) => `'${target}'`).join(', ');
  const config = read('prometheus.yml')
    .replaceAll(/(scrape|evaluation)_interval: \w+/g, '$1_interval: 1s')
    .replace(/\[.okapi:9464.\]/, `[${quoted}]`)
    .replace(/\[.collector:8888.\]/, `['${HOST}:8888']`);
  const exported = `\n  - job_name: exported\n    static_configs: [{ targets: ['${HOST}:8889'] }]\n`;
  writeFileSync(join(folder, 'prometheus/okapi.rules.yml'), fasterRules(read('okapi.rules.yml')));
  writeFileSync(join(folder, 'prometheus/prometheus.yml'), config + exported);
  return join(folder, 'prometheus/prometheus.yml');
}
