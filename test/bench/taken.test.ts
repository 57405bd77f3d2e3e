import os from 'node:os';
import { expect } from 'chai';
import { stolenTicksIn, watchTaken } from '../../bench/report/taken.ts';

describe('what the host of a benchmark takes away', () => {
  it('is the eighth figure of all cores, where the kernel has one', () => {
    expect(stolenTicksIn('cpu  100 0 50 900 0 0 3 42 0 0\ncpu0 50 0 25 450 0 0 3 7 0 0\n')).to.equal(42);
    expect(stolenTicksIn('cpu  100 0 50 900\n')).to.equal(undefined);
  });

  it('is a share of the time since it was watched, and unknown but on Linux', () => {
    const share = watchTaken()();
    if (os.platform() === 'linux') expect(share).to.be.at.least(0);
    else expect(share).to.equal(undefined);
  });
});
