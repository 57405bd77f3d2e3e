import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeArgs } from '../../src/node-args.ts';
import { holdToContract } from './contract.ts';
import { createDatabases } from './stores.ts';

export type ServiceOptions = {
  /** Over the defaults of a test; `undefined` takes a default away. */
  env?: Record<string, string | undefined>;
  /** Own databases in the stores of the run are made unless this is given. */
  stores?: 'shared' | 'embedded' | 'none';
  cwd?: string;
  /** The whole command; the service as `npm start` runs it unless given. */
  command?: readonly string[];
  /** As another user; only the superuser can. */
  user?: { uid: number; gid: number };
  /** A pipe that can be written to; nothing unless given. */
  stdin?: 'pipe';
  /** Whether to wait for the banner; without it the caller sees how the start ends. */
  waitUntilReady?: boolean;
};

/** A started service: the real process, as a person would start it. */
export type Service = {
  readonly url: string;
  readonly pid: number;
  readonly process: ChildProcess;
  /** Of this service alone; its logs and its data are in it unless the options say otherwise. */
  readonly folder: string;
  readonly logDir: string;
  readonly dataDir: string;
  readonly stores: { databaseUrl: string; mongoUrl: string };
  stdout(): string;
  stderr(): string;
  /** The lines of `app.json`, parsed. */
  logLines(file?: 'app' | 'error'): LogLine[];
  /** Sends a signal and resolves to how the process ended, once its databases are gone too. Rejects if it leaked listeners. */
  stop(signal?: NodeJS.Signals): Promise<Ending>;
  kill(): Promise<Ending>;
  readonly ended: Promise<Ending>;
};

export type Ending = { code: number | null; signal: NodeJS.Signals | null };
export type LogLine = Record<string, unknown> & { message: string; extra?: Record<string, unknown> };

export const ROOT = join(import.meta.dirname, '..', '..');
export const SERVICE_COMMAND = [process.execPath, ...nodeArgs(), 'src/main.ts'] as const;
/** What Node says where listeners are added and never removed. */
const LEAK = /MaxListenersExceededWarning: .*/;
const READY = /API {6}(http:\/\/\S+)\/api/;
const START_TIMEOUT_MS = 60_000;

/** Rate limits are on and out of reach, for tests of other things: all of them come from one address. */
const HIGH_LIMITS = {
  RATE_LIMIT_LOGIN_ACCOUNT: '100000',
  RATE_LIMIT_LOGIN_ADDRESS: '100000',
  RATE_LIMIT_REGISTER: '100000',
  RATE_LIMIT_GENERAL: '10000000',
};

/** Every service that still runs, so that the end of the run can end it. */
export const serviceProcesses = new Set<Service>();

/** A folder that goes with this run. */
export function temporaryFolder(): string {
  return mkdtempSync(join(process.env['OKAPI_TEST_FOLDER'] ?? '', 'tmp-'));
}

/** Starts the service on a free port with its own databases, data folder and logs. Rejects with its output if it ends. */
export async function startService(options: ServiceOptions = {}): Promise<Service> {
  const folder = temporaryFolder();
  const logDir = join(folder, 'logs');
  const dataDir = join(folder, 'data');
  const stores = options.stores ?? 'shared';
  const databases = stores === 'shared' ? await createDatabases() : undefined;
  const env: Record<string, string | undefined> = {
    PATH: process.env['PATH'],
    PORT: '0',
    LOG_DIR: logDir,
    DATA_DIR: dataDir,
    DATABASE_URL: databases?.databaseUrl,
    MONGO_URL: databases?.mongoUrl,
    ARGON2_MEMORY_KIB: '7168',
    ARGON2_TIME_COST: '1',
    // The machine of a test may be slow and busy, and what is under test is not to refuse requests for that.
    MAX_EVENT_LOOP_DELAY_MS: '0',
    ...HIGH_LIMITS,
    // Half of what a start costs is compiling the same modules again.
    NODE_COMPILE_CACHE: join(process.env['OKAPI_TEST_FOLDER'] ?? '', 'compiled'),
    ...options.env,
  };
  const [command = '', ...args] = options.command ?? SERVICE_COMMAND;
  const child = spawn(command, args, {
    cwd: options.cwd ?? ROOT,
    env,
    stdio: [options.stdin ?? 'ignore', 'pipe', 'pipe'],
    ...options.user,
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk;
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  const ended = once(child, 'close').then(([code, signal]): Ending => ({ code, signal }));
  const gone = ended.then(async (ending) => {
    await databases?.drop();
    return ending;
  });
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal);
    const ending = await gone;
    const leak = LEAK.exec(stderr)?.[0];
    if (leak !== undefined) throw new Error(`The service leaks: ${leak}`);
    return ending;
  };
  let url = '';
  const service: Service = {
    get url() {
      return url;
    },
    pid: child.pid ?? 0,
    process: child,
    folder,
    logDir: env['LOG_DIR'] ?? logDir,
    dataDir: env['DATA_DIR'] ?? dataDir,
    stores: { databaseUrl: databases?.databaseUrl ?? '', mongoUrl: databases?.mongoUrl ?? '' },
    stdout: () => stdout,
    stderr: () => stderr,
    logLines: (file = 'app') => readLogLines(join(env['LOG_DIR'] ?? logDir, `${file}.json`)),
    stop,
    kill: () => stop('SIGKILL'),
    ended,
  };
  serviceProcesses.add(service);
  void ended.then(() => serviceProcesses.delete(service));
  if (options.waitUntilReady ?? true) {
    url = await readyUrl(child, ended, () => [stdout, stderr]);
    holdToContract(url, env);
  }
  return service;
}

async function readyUrl(child: ChildProcess, ended: Promise<Ending>, output: () => string[]): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const timer = setTimeout(() => reject(new Error(`Not ready in time: ${output().join('\n')}`)), START_TIMEOUT_MS);
  child.stdout?.on('data', () => {
    const url = READY.exec(output()[0] ?? '')?.[1];
    if (url !== undefined) resolve(url.replace('localhost', '127.0.0.1'));
  });
  void ended.then(({ code }) => reject(new Error(`The service ended with ${code}: ${output().join('\n')}`)));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

function readLogLines(path: string): LogLine[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogLine);
}
