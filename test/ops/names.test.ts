import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import pg from 'pg';
import { parse } from 'yaml';
import { roundOf, send } from '../../ops/demo/mix.ts';
import { unknownNames } from '../../ops/names/compare.ts';
import {
  dashboardExpressions,
  documentExpressions,
  isAlert,
  ROOT,
  RUNBOOK_FILE,
  readDashboards,
  readRules,
  ruleExpressions,
  variableExpressions,
} from '../../ops/names/expressions.ts';
import { learn, learnRecorded, type Truth, truthOf } from '../../ops/names/truth.ts';
import * as errorFamily from '../../src/core/errors/app-http-error.ts';
import { AppHttpError } from '../../src/core/index.ts';
import { metricRegistry } from '../../src/core/telemetry/metrics/registry.ts';
import '../../src/core/telemetry/metrics/service-metrics.ts';
import '../../src/core/telemetry/metrics/left-out.ts';
import { signIn } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts';
import { type Service, startService } from '../support/service.ts';

/** What Prometheus says of its targets and alerts, and what the collector says of itself (seen from Collector 0.161). */
const OF_OTHERS: Readonly<Record<string, readonly string[]>> = {
  up: ['job', 'instance'],
  ALERTS: ['alertname', 'alertstate', 'severity', 'job', 'instance'],
  ...Object.fromEntries(
    ['exporter_send_failed', 'receiver_refused'].flatMap((what) =>
      ['spans', 'log_records', 'metric_points'].map((kind) => [
        `otelcol_${what}_${kind}_total`,
        ['job', 'instance', what.slice(0, what.indexOf('_'))],
      ]),
    ),
  ),
};

describe('names of metrics', () => {
  let collector: OtlpReceiver;
  let service: Service;
  let truth: Truth;
  const rules = readRules();
  const dashboards = readDashboards();

  before(async () => {
    collector = await startOtlpReceiver();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, LOG_LEVEL: 'ERROR' };
    service = await startService({ env });
    await makeEverySeries(service);
    // Some figures of the runtime are there only after a while.
    truth = await eventually(async () => {
      const seen = truthOf(await (await fetch(`${service.url}/metrics`)).text());
      return seen.has('nodejs_eventloop_utilization_ratio') && seen.has('v8js_gc_duration_seconds_sum') && seen;
    });
    learnWhatWasNotSeen(truth);
    learnRecorded(truth, rules);
  });
  after(async () => {
    await service.stop();
    await collector.close();
  });

  it('are the same in the rules and in the service', () => {
    expect(ruleExpressions(rules).flatMap((each) => unknownNames(each, truth))).to.deep.equal([]);
  });

  it('are the same on the dashboards and in the service', () => {
    const expressions = [...dashboards].flatMap(([file, board]) => [
      ...dashboardExpressions(file, board),
      ...variableExpressions(file, board),
    ]);
    expect(expressions.length).to.be.greaterThan(60);
    expect(expressions.flatMap((each) => unknownNames(each, truth))).to.deep.equal([]);
  });

  it('are the same in the runbook and in the service', () => {
    const expressions = documentExpressions(RUNBOOK_FILE);
    expect(expressions.length).to.be.greaterThan(20);
    expect(expressions.flatMap((each) => unknownNames(each, truth))).to.deep.equal([]);
  });

  it('count the spans that reached the collector', async () => {
    const exported = await eventually(async () => {
      const scrape = await (await fetch(`${service.url}/metrics/otel_sdk_exporter_span_exported_total`)).text();
      const [, count] = /^otel_sdk_exporter_span_exported_total\{(?!.*error_type).*\} (\d+)$/m.exec(scrape) ?? [];
      return Number(count) > 0 && Number(count);
    });
    expect(collector.spans.length).to.be.at.least(exported);
  });

  it('are missed where one is renamed: a metric, a label, a value, a recorded series', () => {
    const changed = new Map(truth);
    const asked = (text: string) => unknownNames({ where: 'here', text }, changed);
    changed.delete('app_requests_total');
    expect(asked('sum by (job) (rate(app_requests_total{status=~"5.."}[5m]))')).to.deep.equal([
      'here: there is no metric app_requests_total',
      'here: no metric of the expression has the label job',
    ]);
    expect(asked('okapi_dependency_up{store="postgres"} == 0')).to.deep.equal([
      'here: okapi_dependency_up has no label store',
    ]);
    expect(asked('okapi_dependency_up{dependency=~"postgres|oracle"} == 0')).to.deep.equal([
      'here: okapi_dependency_up never has dependency="oracle"',
    ]);
    expect(asked('max by (collection) (job:app_requests:rate7m)')).to.deep.equal([
      'here: there is no metric job:app_requests:rate7m',
      'here: no metric of the expression has the label collection',
    ]);
  });
});

describe('alerts', () => {
  const alerts = readRules().flatMap(({ rules }) => rules.filter(isAlert));
  const runbook = readFileSync(join(ROOT, RUNBOOK_FILE), 'utf8');
  const sections = [...runbook.matchAll(/^### (\S+)$/gm)].map(([, name]) => name);

  it('each have a section of the runbook, and no section is left over', () => {
    expect([...sections].sort()).to.deep.equal(alerts.map(({ alert }) => alert).sort());
  });

  it('lead to their section', () => {
    for (const { alert, annotations } of alerts) {
      expect(annotations['runbook_url'], alert).to.equal(`${RUNBOOK_FILE}#${alert.toLowerCase()}`);
    }
  });

  it('say whom they wake, what is wrong and where', () => {
    for (const { alert, labels, annotations } of alerts) {
      expect(labels['severity'], alert).to.be.oneOf(['page', 'ticket']);
      expect(annotations['summary'], alert).to.match(/^[A-Z]/);
      expect(annotations['description'], alert).to.match(/\{\{ \$labels\.\w+ \}\}|job="okapi"/);
    }
  });

  it('say in each section what they mean, how to look, and what to do', () => {
    const parts = runbook.split(/^### /m).slice(1);
    for (const part of parts) {
      const name = part.slice(0, part.indexOf('\n'));
      expect(part, name).to.match(/\*\*Means\*\*[\s\S]*\*\*Look\*\*[\s\S]*```promql\n[\s\S]*\*\*Do\*\*/);
    }
  });

  it('fire in a case of their own', () => {
    const cases = readFileSync(join(ROOT, 'ops/prometheus/okapi.rules.test.yml'), 'utf8');
    for (const { alert, labels } of alerts) {
      expect(cases, alert).to.contain(`alertname="${alert}", severity="${labels['severity']}"`);
    }
  });

  it('ask for a job that is scraped', () => {
    const config = parse(readFileSync(join(ROOT, 'ops/prometheus/prometheus.yml'), 'utf8'));
    const jobs = config.scrape_configs.map((each: { job_name: string }) => each.job_name);
    const asked = alerts.flatMap(({ expr }) => [...expr.matchAll(/\bjob="(\w+)"/g)].map(([, job]) => job));
    expect(jobs).to.include.members([...new Set(asked)]);
  });
});

/** Requests and faults after which every series is there that rules and dashboards ask for. */
async function makeEverySeries({ url, stores }: Service): Promise<void> {
  const { email, password, accessToken, refreshToken } = await signIn(url);
  for (const each of roundOf([{ email, password, accessToken, refreshToken }])) await send(url, each);
  const database = new pg.Client({ connectionString: stores.databaseUrl });
  await database.connect();
  await database.query('alter table sessions rename to sessions_elsewhere');
  const failed = await send(url, { method: 'GET', path: '/api/users/me', token: accessToken });
  expect(failed.status).to.equal(500);
  await database.end();
}

/** What no healthy service shows: metrics of mishaps, by their declaration; classes of errors, by the family. */
function learnWhatWasNotSeen(truth: Truth): void {
  for (const { shape } of metricRegistry.instruments()) {
    const known = truth.get(shape.name);
    if (known === undefined) continue;
    for (const label of shape.labelNames) if (!known.has(label)) known.set(label, new Set());
  }
  for (const each of Object.values(errorFamily)) {
    const isError = typeof each === 'function' && (each === AppHttpError || each.prototype instanceof AppHttpError);
    if (isError) learn(truth, 'app_errors_total', { exception_type: each.name });
  }
  for (const [name, labels] of Object.entries(OF_OTHERS)) {
    truth.set(name, new Map(labels.map((label) => [label, new Set()])));
  }
}
