import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { updateSystemMetrics } from '../../../src/core/background/system-metrics.ts';
import {
  dbPostgresPoolCheckedOut,
  dbPostgresPoolOverflow,
  dbPostgresPoolSize,
  systemCpuUsage,
  systemMemoryUsage,
} from '../../../src/core/telemetry/metrics/metrics.ts';
import { dbPostgresPoolWaiters } from '../../../src/core/telemetry/metrics/service-metrics.ts';
import { SystemSampler } from '../../../src/core/telemetry/metrics/system-sampler.ts';

const MIB = 1024 ** 2;
const HOST = {
  '/proc/meminfo': 'MemTotal:       1048576 kB\nMemFree:          10240 kB\nMemAvailable:    786432 kB\n',
  '/proc/stat': 'cpu  1000 0 0 0 0 0 0 0 0 0\ncpu0 500 0 0 0\ncpu1 500 0 0 0\ncpu2 0 0\ncpu3 0 0\nintr 5\n',
};
const V2 = {
  ...HOST,
  '/proc/self/cgroup': '0::/kubepods/pod1/app\n',
  '/sys/fs/cgroup/kubepods/pod1/app/memory.max': 'max\n',
  '/sys/fs/cgroup/kubepods/pod1/app/cpu.max': 'max 100000\n',
  '/sys/fs/cgroup/kubepods/pod1/memory.max': `${200 * MIB}\n`,
  '/sys/fs/cgroup/kubepods/pod1/memory.current': `${150 * MIB}\n`,
  '/sys/fs/cgroup/kubepods/pod1/memory.stat': `anon 5\ninactive_file ${50 * MIB}\nactive_file 9\n`,
  '/sys/fs/cgroup/kubepods/pod1/cpu.max': '50000 100000\n',
  '/sys/fs/cgroup/kubepods/pod1/cpu.stat': 'usage_usec 1000000\nuser_usec 1\n',
};
const V1 = {
  ...HOST,
  '/proc/self/cgroup': '5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n0::/\n',
  '/sys/fs/cgroup/memory/memory.limit_in_bytes': `${400 * MIB}\n`,
  '/sys/fs/cgroup/memory/memory.usage_in_bytes': `${150 * MIB}\n`,
  '/sys/fs/cgroup/memory/memory.stat': `inactive_file 1\ntotal_inactive_file ${50 * MIB}\n`,
  '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '200000\n',
  '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
  '/sys/fs/cgroup/cpuacct/cpuacct.usage': '1000000000\n',
};
const CPU_AFTER = {
  host: { '/proc/stat': HOST['/proc/stat'].replace('cpu  1000', 'cpu  1100') },
  v2: { '/sys/fs/cgroup/kubepods/pod1/cpu.stat': 'usage_usec 1250000\n' },
  v1: { '/sys/fs/cgroup/cpuacct/cpuacct.usage': '2500000000\n' },
};

describe('background: updateSystemMetrics', () => {
  let root: string;
  let nowMs: number;
  let sampler: SystemSampler;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'okapi-system-'));
    nowMs = 1000;
    sampler = new SystemSampler({ root, now: () => nowMs });
    systemCpuUsage.set(0);
  });
  afterEach(() => rm(root, { recursive: true }));

  async function put(files: Record<string, string>): Promise<void> {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    }
  }

  async function runTwice(before: Record<string, string>, after: Record<string, string>) {
    await put(before);
    await updateSystemMetrics({ sampler });
    await put(after);
    nowMs += 1000;
    await updateSystemMetrics({ sampler });
    const memory = (type: string) => systemMemoryUsage.labels({ type }).value;
    return { used: memory('used'), free: memory('free'), cpu: systemCpuUsage.labels().value };
  }

  it("takes memory and CPU as a share of the host's where nothing limits the process", async () => {
    expect(await runTwice(HOST, CPU_AFTER.host)).to.deep.equal({ used: 25, free: 75, cpu: 25 });
  });

  it('takes them of the tightest limit on the way up in cgroup v2, without what the kernel can drop', async () => {
    expect(await runTwice(V2, CPU_AFTER.v2)).to.deep.equal({ used: 50, free: 50, cpu: 50 });
  });

  it('takes them of the limit in cgroup v1, also where only the root of the mount can be seen', async () => {
    expect(await runTwice(V1, CPU_AFTER.v1)).to.deep.equal({ used: 25, free: 75, cpu: 75 });
  });

  it('takes the host where the limit says max, or more than there is', async () => {
    const unlimited = {
      '/sys/fs/cgroup/kubepods/pod1/memory.max': 'max\n',
      '/sys/fs/cgroup/kubepods/pod1/cpu.max': '900000 100000\n',
    };
    expect(await runTwice({ ...V2, ...unlimited }, CPU_AFTER.host)).to.deep.equal({ used: 25, free: 75, cpu: 25 });
    const v1 = {
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
    };
    expect((await runTwice({ ...V1, ...v1 }, {})).used).to.equal(25);
  });

  it('takes CPU as a share of the cores that a container is pinned to, where no quota is tighter', async () => {
    const own = '/sys/fs/cgroup/kubepods/pod1/app';
    const pinned = {
      [`${own}/cpuset.cpus.effective`]: '0,2-2\n',
      [`${own}/cpu.stat`]: 'usage_usec 1000000\n',
      '/sys/fs/cgroup/cpuset.cpus.effective': '0-3\n',
    };
    const noQuota = { '/sys/fs/cgroup/kubepods/pod1/cpu.max': 'max 100000\n' };
    expect(
      (await runTwice({ ...V2, ...pinned, ...noQuota }, { [`${own}/cpu.stat`]: 'usage_usec 1500000\n' })).cpu,
    ).to.equal(25);
    expect((await runTwice({ ...V2, ...pinned }, CPU_AFTER.v2)).cpu, 'half a core is less than two').to.equal(50);
  });

  it('stays within 0 and 100 when counters jump or stand still', async () => {
    const jump = { '/sys/fs/cgroup/kubepods/pod1/cpu.stat': 'usage_usec 99000000\n' };
    expect((await runTwice(V2, jump)).cpu).to.equal(100);
    expect((await runTwice(V2, CPU_AFTER.v2)).cpu).to.be.within(0, 100);
  });

  it('takes what Node knows of the machine where there is neither /proc nor /sys', async () => {
    const { used, free } = await runTwice({}, {});
    expect(used).to.be.within(1, 99);
    expect(used + free).to.be.closeTo(100, 1e-9);
  });

  it("shows the pool's figures, and as overflow what is open beyond its size", async () => {
    await put(HOST);
    await updateSystemMetrics({ sampler, pool: () => ({ open: 12, inUse: 5, size: 10, waiting: 3 }) });
    const values = [dbPostgresPoolSize, dbPostgresPoolCheckedOut, dbPostgresPoolOverflow, dbPostgresPoolWaiters];
    expect(values.map((gauge) => gauge.labels().value)).to.deep.equal([12, 5, 2, 3]);
    await updateSystemMetrics({ sampler, pool: () => ({ open: 4, inUse: 4, size: 10 }) });
    expect(values.map((gauge) => gauge.labels().value)).to.deep.equal([4, 4, 0, 0]);
  });

  it('sets everything else when the pool cannot tell its figures, and rejects', async () => {
    await put(HOST);
    systemMemoryUsage.labels({ type: 'used' }).set(0);
    const pool = () => {
      throw new Error('no pool');
    };
    const thrown = await updateSystemMetrics({ sampler, pool }).catch(String);
    expect(thrown).to.equal('Error: no pool');
    expect(systemMemoryUsage.labels({ type: 'used' }).value).to.equal(25);
  });

  it('measures this machine, whatever it is', async () => {
    await updateSystemMetrics();
    expect(systemMemoryUsage.labels({ type: 'used' }).value).to.be.within(0.01, 100);
  });
});
