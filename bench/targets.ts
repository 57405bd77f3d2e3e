/** What the benchmark is held to. A ratio is taken within each round, and its median over the rounds is judged. */
export type RatioTarget = {
  id: string;
  title: string;
  measure: 'perSecond' | 'p99Ms';
  /** Subjects: the one over the other. */
  of: string;
  to: string;
  atLeast?: number;
  atMost?: number;
};

export const RATIO_TARGETS: readonly RatioTarget[] = [
  { id: 'raw', title: 'requests/s against node:http', measure: 'perSecond', of: 'okapi', to: 'raw', atLeast: 0.3 },
  {
    id: 'fastify-otel',
    title: 'requests/s against Fastify with the same telemetry',
    measure: 'perSecond',
    of: 'okapi',
    to: 'fastify-otel',
    atLeast: 2.2,
  },
  { id: 'koa', title: 'requests/s against bare Koa', measure: 'perSecond', of: 'okapi', to: 'koa', atLeast: 0.65 },
  {
    id: 'telemetry',
    title: 'requests/s, telemetry and logs on against off',
    measure: 'perSecond',
    of: 'okapi',
    to: 'okapi-off',
    atLeast: 0.8,
  },
  {
    id: 'users',
    title: 'requests/s of GET /api/users/me against node:http + pg',
    measure: 'perSecond',
    of: 'okapi-users',
    to: 'raw-pg',
    atLeast: 0.45,
  },
  { id: 'p99', title: 'p99, everything on against off', measure: 'p99Ms', of: 'okapi', to: 'okapi-off', atMost: 1.3 },
];

/** Memory after 1,000,000 requests over that after 100,000. */
export const MEMORY_GROWTH_AT_MOST = 1.1;

/** From the start of the process to its first answer, the stores already running. */
export const START_MS_AT_MOST = 1_000;
