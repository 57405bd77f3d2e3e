import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { ROOT, RULES_FILE } from '../../ops/names/expressions.ts';
import { fasterRules } from '../../ops/verify/fast-rules.ts';
import { findProgram, runProgram } from '../../ops/verify/programs.ts';

const rules = join(ROOT, RULES_FILE);
const promtool = findProgram('promtool');
const otelcol = findProgram('otelcol');

describe('rules for Prometheus', () => {
  if (promtool === undefined) leftOut('promtool check rules');
  else {
    it('are accepted by Prometheus', () => {
      expect(runProgram(promtool, ['check', 'rules', rules])).to.match(/SUCCESS: \d+ rules found/);
    });
  }

  it('are no different when time passes faster, but for their durations', () => {
    const plain = (text: string) => text.replaceAll(/\[\w+\]/g, '[]').replaceAll(/ for: \w+/g, ' for:');
    const shipped = readFileSync(rules, 'utf8');
    expect(plain(fasterRules(shipped))).to.equal(plain(shipped));
  });

  it('are asked for a minute as a second', () => {
    const text = '      expr: rate(a[5m]) > min_over_time(b[30s]) + rate(c[3d])\n        for: 2m\n';
    expect(fasterRules(text)).to.equal(
      '      expr: rate(a[5s]) > min_over_time(b[1s]) + rate(c[4320s])\n        for: 2s\n',
    );
  });
});

describe('otel-collector.yaml', () => {
  const text = readFileSync(join(ROOT, 'otel-collector.yaml'), 'utf8');
  const config = parse(text);

  if (otelcol === undefined) leftOut('otelcol validate');
  else {
    it('is accepted by a collector with no variable set', () => {
      expect(runProgram(otelcol, ['validate', `--config=${join(ROOT, 'otel-collector.yaml')}`])).to.equal('');
    }).timeout(60_000);
  }

  it('explains each variable that it reads, and reads each that it explains', () => {
    const read = [...text.matchAll(/\$\{env:(\w+):-[^}]*\}/g)].map(([, name]) => name);
    const explained = [...text.matchAll(/^# {3}(COLLECTOR_\w+)/gm)].map(([, name]) => name);
    expect([...new Set(read)].sort()).to.deep.equal([...new Set(explained)].sort());
    expect(text).not.to.match(/\$\{env:\w+\}/);
  });

  it('protects itself first and batches last, in every pipeline', () => {
    for (const [name, { processors }] of Object.entries<{ processors: string[] }>(config.service.pipelines)) {
      expect(processors[0], name).to.equal('memory_limiter');
      expect(processors.at(-1), name).to.equal('batch');
    }
  });
});

/** The suite asks for nothing but npm; what it could not try for that it says. */
function leftOut(what: string): void {
  before(() => process.stdout.write(`      left out: ${what} (not on PATH or in OKAPI_PEERS)\n`));
}
