/** The parts of a `.cpuprofile` that are read here. */
export type CpuProfile = {
  nodes: readonly {
    id: number;
    callFrame: { functionName: string; url: string; lineNumber: number };
  }[];
  samples?: readonly number[];
  /** Microseconds between samples. */
  timeDeltas?: readonly number[];
};

export type SelfTime = { name: string; share: number };

const IDLE = '(idle)';

/** Time spent in each function itself, the longest first, as a share of the time that was not idle. */
export function selfTimes(profile: CpuProfile, nameOf = functionName): SelfTime[] {
  const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const times = new Map<string, number>();
  let total = 0;
  profile.samples?.forEach((id, index) => {
    const name = names.get(id) ?? '(unknown)';
    const time = profile.timeDeltas?.[index] ?? 0;
    if (name === IDLE) return;
    total += time;
    times.set(name, (times.get(name) ?? 0) + time);
  });
  return [...times].map(([name, time]) => ({ name, share: time / total })).sort((a, b) => b.share - a.share);
}

type CallFrame = CpuProfile['nodes'][number]['callFrame'];

/** The function and where it stands. */
function functionName({ functionName, url, lineNumber }: CallFrame): string {
  if (functionName.startsWith('(')) return functionName;
  return `${functionName || '(anonymous)'} ${shortened(url)}:${lineNumber + 1}`;
}

/** The package, the folder of the project or the module of Node that a function belongs to. */
export function groupName({ functionName, url }: CallFrame): string {
  if (functionName.startsWith('(') && url === '') return functionName;
  const file = shortened(url);
  if (file.startsWith('node:')) return file.split('/')[0] === 'node:internal' ? 'node:internal' : file;
  const inPackage = /^((?:@[^/]+\/)?[^/]+)\//.exec(file.startsWith('~/') ? file.slice(2) : '')?.[1];
  return inPackage ?? (file.split('/').slice(0, 3).join('/') || '(native)');
}

/** Packages as `~/name/file`, files of the project by their path in it. */
function shortened(url: string): string {
  const inModules = url.split('/node_modules/');
  if (inModules.length > 1) return `~/${inModules.at(-1)}`;
  return url.replace(/^file:\/\//, '').replace(`${process.cwd()}/`, '');
}

/** A text of the `count` functions, and of the groups, that take most. */
export function profileSummary(profile: CpuProfile, count = 40): string {
  const table = (entries: readonly SelfTime[]) =>
    entries.slice(0, count).map(({ name, share }) => `${(share * 100).toFixed(1).padStart(6)} %  ${name}`);
  return [
    'Self time by function',
    ...table(selfTimes(profile)),
    '',
    'Self time by package or folder',
    ...table(selfTimes(profile, groupName)),
    '',
  ].join('\n');
}
