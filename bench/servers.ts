import { join } from 'node:path';
import { nodeArgs as serviceArgs } from '../src/node-args.ts';
import { type OkapiVariant, okapiSettings, POOL_SIZE } from './okapi-settings.ts';
import type { UsersQuestion } from './users.ts';

export const ROOT = join(import.meta.dirname, '..');
export const PEERS = join(import.meta.dirname, 'peers');

/** What a server is told. */
export type Surroundings = {
  port: number;
  /** Free too: for metrics. */
  secondPort: number;
  folder: string;
  receiverUrl: string;
  databaseUrl: string;
  mongoUrl: string;
  bodyBytes: number;
  users: UsersQuestion | undefined;
  /** Over the settings of Okapi. */
  okapiEnv: Readonly<Record<string, string>>;
  /** More arguments for Node: for a profile. */
  nodeArgs: readonly string[];
};

export type ServerDefinition = {
  /** The folder whose packages it needs besides those of the project. */
  packages?: string;
  okapi?: OkapiVariant;
  /** Whether it sends spans. */
  traced: boolean;
  readyPath: string;
  command(at: Surroundings): readonly string[];
  env(at: Surroundings): Record<string, string>;
  cwd: string;
};

const node = process.execPath;
const telemetry = ['--import', './telemetry.mjs'];

/** Every server by its id. */
export const SERVERS: Readonly<Record<string, ServerDefinition>> = {
  okapi: okapi('on'),
  'okapi-users': okapi('on'),
  'okapi-off': okapi('off'),
  'okapi-logs': okapi('logs'),
  raw: peer({ args: ['raw.mjs'] }),
  koa: peer({ args: ['koa.mjs'] }),
  fastify: peer({ args: ['fastify.mjs'] }),
  'fastify-otel': peer({ args: [...telemetry, 'fastify-otel.mjs'], traced: true, env: () => ({ FASTIFY: 'on' }) }),
  'koa-onion': peer({ args: [...telemetry, 'koa-onion.mjs'], traced: true }),
  watt: peer({ args: ['node_modules/wattpm/bin/cli.js', 'start'], folder: join(PEERS, 'watt') }),
  'raw-pg': peer({
    args: ['raw-pg.mjs'],
    env: ({ databaseUrl, users }) => ({
      DATABASE_URL: databaseUrl,
      POOL_SIZE: String(POOL_SIZE),
      STATEMENT: JSON.stringify(users?.statement),
      PADDING_BYTES: String(users?.paddingBytes ?? 0),
    }),
  }),
};

function okapi(variant: OkapiVariant): ServerDefinition {
  return {
    okapi: variant,
    traced: variant !== 'off',
    // Counted nowhere, unlike the subjects themselves.
    readyPath: '/health/live',
    command: ({ nodeArgs }) => [node, ...nodeArgs, ...serviceArgs(), 'src/main.ts'],
    env: (at) => ({ ...okapiSettings(variant, at), ...at.okapiEnv }),
    cwd: ROOT,
  };
}

function peer(options: {
  args: readonly string[];
  traced?: boolean;
  folder?: string;
  env?: (at: Surroundings) => Record<string, string>;
}): ServerDefinition {
  const { args, traced = false, folder = PEERS, env } = options;
  return {
    ...(args[0] === 'raw.mjs' ? {} : { packages: folder }),
    traced,
    readyPath: '/',
    command: () => [node, ...args],
    env: (at) => ({
      NODE_ENV: 'production',
      PORT: String(at.port),
      BODY_BYTES: String(at.bodyBytes),
      LOG_DIR: at.folder,
      LOG_FILE: join(at.folder, 'app.log'),
      METRICS_PORT: String(at.secondPort),
      OTEL_EXPORTER_OTLP_ENDPOINT: at.receiverUrl,
      OTEL_LOGS_EXPORTER: 'none',
      ...env?.(at),
    }),
    cwd: folder,
  };
}
