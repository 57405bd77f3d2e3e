import { parseArgs } from 'node:util';

export type Mode = 'full' | 'compare' | 'memory' | 'start' | 'profile';

export type BenchOptions = {
  mode: Mode;
  rounds: number;
  /** Of one measurement. */
  seconds: number;
  connections: number;
  /** Requests to each subject before anything is counted. */
  warmUp: number;
  /** Ids of subjects; all unless given. */
  only: readonly string[] | undefined;
  /** Store the result as the baseline, and draw the plot of the documentation. */
  save: boolean;
  /** Over the settings that the benchmark gives Okapi. */
  env: Readonly<Record<string, string>>;
};

/** Fewer requests than this leave code uncompiled, and a comparison then says nothing. */
export const LEAST_WARM_UP = 60_000;

export const USAGE = `npm run bench -- [options]
  --rounds N        interleaved rounds (15; with --quick 5)
  --seconds N       length of one measurement (3; with --quick 2)
  --connections N   kept open by the load (64)
  --warmup N        requests to each subject before anything is counted (${LEAST_WARM_UP}, which is also the least that is believed)
  --only a,b        these subjects, and nothing but the comparison
  --quick           Okapi, node:http and Koa only: for work on the hot path
  --memory          only: memory after 100,000 and after 1,000,000 requests
  --start           only: time from start to the first answer
  --profile         only: a CPU profile of Okapi under load (of GET /api/users/me with --only okapi-users)
  --env NAME=VALUE  another setting for Okapi; may be repeated
  --save            store the result as the baseline, and draw docs/performance.svg`;

const QUICK = ['raw', 'koa', 'okapi'];

/** Reads the command line. Throws when it makes no sense. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      connections: { type: 'string' },
      warmup: { type: 'string' },
      only: { type: 'string' },
      env: { type: 'string', multiple: true },
      quick: { type: 'boolean', default: false },
      memory: { type: 'boolean', default: false },
      start: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
    },
  });
  const single = (['memory', 'start', 'profile'] as const).filter((mode) => values[mode]);
  if (single.length > 1) throw new Error(`--${single.join(' and --')} do not go together`);
  const only = values.only?.split(',') ?? (values.quick ? QUICK : undefined);
  return {
    mode: single[0] ?? (only === undefined ? 'full' : 'compare'),
    rounds: whole('rounds', values.rounds, values.quick ? 5 : 15),
    seconds: whole('seconds', values.seconds, values.quick ? 2 : 3),
    connections: whole('connections', values.connections, 64),
    warmUp: whole('warmup', values.warmup, LEAST_WARM_UP),
    only,
    save: values.save,
    env: Object.fromEntries((values.env ?? []).map(assignment)),
  };
}

function whole(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`--${name} must be a whole number of 1 or more`);
  return Number(text);
}

function assignment(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new Error('--env must be NAME=VALUE');
  return [text.slice(0, at), text.slice(at + 1)];
}
