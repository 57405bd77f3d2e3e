import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '../../ops/names/expressions.ts';
import { findProgram, runProgram } from '../../ops/verify/programs.ts';

const promtool = findProgram('promtool');

describe('rules for Prometheus, over hours', () => {
  if (promtool === undefined) {
    before(() => process.stdout.write('      left out: promtool test rules (not on PATH or in OKAPI_PEERS)\n'));
    return;
  }
  it('fire in the cases that they are for, and in no other', () => {
    const cases = join(ROOT, 'ops/prometheus/okapi.rules.test.yml');
    expect(runProgram(promtool, ['test', 'rules', cases])).to.contain('SUCCESS');
  });
});
