/** Reads a small file below the root of the file system; `undefined` where it cannot be read. */
export type ReadText = (path: string) => Promise<string | undefined>;

/** A cgroup's memory in bytes: in use without what the kernel can drop at once (inactive file pages), and its limit. */
export type MemoryReading = { readonly usedBytes: number; readonly limitBytes: number };

/** CPU time used so far by a cgroup, and how many cores' worth it may use. */
export type CpuReading = { readonly busySeconds: number; readonly cores: number };

type Hierarchy = { readonly version: 1 | 2; readonly folders: readonly string[] };

/** The tightest memory limit on this process that is below `hostBytes`; `undefined` without one. Knows cgroup v1 and v2. */
export async function readContainerMemory(read: ReadText, hostBytes: number): Promise<MemoryReading | undefined> {
  const { version, folders } = await hierarchyOf(read, 'memory');
  const file = version === 2 ? 'memory.max' : 'memory.limit_in_bytes';
  const limit = await tightest(folders, async (folder) => toNumber(await read(`${folder}/${file}`)));
  if (limit === undefined || limit.value >= hostBytes || limit.value === 0) return undefined;
  const usage = toNumber(await read(`${limit.folder}/${version === 2 ? 'memory.current' : 'memory.usage_in_bytes'}`));
  if (usage === undefined) return undefined;
  const stat = await read(`${limit.folder}/memory.stat`);
  const inactive = field(stat, version === 2 ? 'inactive_file' : 'total_inactive_file') ?? 0;
  return { usedBytes: Math.max(0, usage - inactive), limitBytes: limit.value };
}

/**
 * The tightest CPU limit on this process that is below `hostCores`, a quota or (v2) a set of cores it is pinned to;
 * `undefined` without one. Knows cgroup v1 and v2.
 */
export async function readContainerCpu(read: ReadText, hostCores: number): Promise<CpuReading | undefined> {
  const { version, folders } = await hierarchyOf(read, 'cpu');
  const limit = await tightest(folders, (folder) => readCores(read, folder, version));
  if (limit === undefined || limit.value >= hostCores) return undefined;
  const used =
    version === 2
      ? field(await read(`${limit.folder}/cpu.stat`), 'usage_usec')
      : toNumber(await read(`${limit.folder.replace('/cgroup/cpu', '/cgroup/cpuacct')}/cpuacct.usage`));
  if (used === undefined) return undefined;
  return { busySeconds: used / (version === 2 ? 1e6 : 1e9), cores: limit.value };
}

async function readCores(read: ReadText, folder: string, version: 1 | 2): Promise<number | undefined> {
  const [quota, period] =
    version === 2
      ? ((await read(`${folder}/cpu.max`)) ?? '').split(' ')
      : [await read(`${folder}/cpu.cfs_quota_us`), await read(`${folder}/cpu.cfs_period_us`)];
  const pinned = version === 2 ? countCores(await read(`${folder}/cpuset.cpus.effective`)) : undefined;
  const cores = (toNumber(quota) ?? Number.NaN) / (toNumber(period) ?? Number.NaN);
  return cores > 0 && cores < (pinned ?? Infinity) ? cores : pinned;
}

/** How many are in a list such as `0-3,8` (cgroup v2, cpuset). */
function countCores(list: string | undefined): number | undefined {
  const ranges = [...(list ?? '').matchAll(/(\d+)(?:-(\d+))?/g)];
  return ranges.reduce((sum, [, first, last = first]) => sum + Number(last) - Number(first) + 1, 0) || undefined;
}

/** A limit may stand on any ancestor of the process's own cgroup; all are asked, the innermost first. */
async function hierarchyOf(read: ReadText, controller: 'memory' | 'cpu'): Promise<Hierarchy> {
  const lines = ((await read('/proc/self/cgroup')) ?? '').split('\n').map((line) => line.split(':'));
  const v1 = lines.find(([, controllers = '']) => controllers.split(',').includes(controller));
  const own = v1 ?? lines.find(([id, controllers]) => id === '0' && controllers === '');
  const mount = v1 === undefined ? '/sys/fs/cgroup' : `/sys/fs/cgroup/${controller}`;
  // A path that leads out of the namespace cannot be seen from here; the mount's root is the container's own then.
  const path = own?.slice(2).join(':') ?? '/';
  const parts = path.includes('/..') ? [] : path.split('/').filter((part) => part !== '');
  const folders = parts.map((_, index) => `${mount}/${parts.slice(0, index + 1).join('/')}`).reverse();
  return { version: v1 === undefined ? 2 : 1, folders: [...folders, mount] };
}

async function tightest(folders: readonly string[], limitOf: (folder: string) => Promise<number | undefined>) {
  let found: { folder: string; value: number } | undefined;
  for (const folder of folders) {
    const value = await limitOf(folder);
    if (value !== undefined && (found === undefined || value < found.value)) found = { folder, value };
  }
  return found;
}

function toNumber(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? '';
  return /^\d+$/.test(trimmed) ? Number(trimmed) : undefined;
}

/** The number behind `name ` on a line of its own. */
function field(text: string | undefined, name: string): number | undefined {
  for (const line of text?.split('\n') ?? []) {
    if (line.startsWith(`${name} `)) return toNumber(line.slice(name.length + 1));
  }
  return undefined;
}
