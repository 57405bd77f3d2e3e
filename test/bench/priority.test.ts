import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { canPrefer, preferred } from '../../bench/processes/priority.ts';

describe('the load of the benchmark', () => {
  it('goes before all else on its core where that is allowed, and runs as it is elsewhere', () => {
    const [program = '', ...args] = preferred([process.execPath, '--print', '6 * 7']);
    const { status, stdout } = spawnSync(program, args, { encoding: 'utf8' });
    expect(status).to.equal(0);
    expect(stdout).to.equal('42\n');
    if (!canPrefer()) return;
    // proc_pid_stat(5): the policy is field 41; 2 is SCHED_RR.
    const [cat = '', ...file] = preferred(['cat', '/proc/self/stat']);
    const fields = spawnSync(cat, file, { encoding: 'utf8' }).stdout.split(') ')[1]?.split(' ');
    expect(fields?.[38]).to.equal('2');
  });
});
