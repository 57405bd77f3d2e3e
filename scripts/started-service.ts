import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { nodeArgs } from '../src/node-args.ts';

const ROOT = join(import.meta.dirname, '..');
const COMMAND = [...nodeArgs(ROOT), join(ROOT, 'src/main.ts')];
const START_TIMEOUT_MS = 30_000;
const READY = /\(\w+\) is ready[\s\S]*?http:\/\/localhost:(\d+)\/api\b/;

export type StartedService = {
  /** Rejects with what the service complained of when it does not start. */
  readonly ready: Promise<{ port: string; printed: string }>;
  stop(): Promise<void>;
};

/** Starts a service for a script, in `folder`, on a free port and embedded stores. */
export function startServiceIn(folder: string, settings: Readonly<Record<string, string>> = {}): StartedService {
  // Started in a folder of its own, and nothing else is handed on: what somebody has set in this shell or in .env must
  // not change the result.
  const { PATH, HOME, LANG } = process.env;
  const env = { PATH, HOME, LANG, PORT: '0', ...settings };
  const child = spawn(process.execPath, COMMAND, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  const { promise: ready, resolve, reject } = Promise.withResolvers<{ port: string; printed: string }>();
  const timer = setTimeout(() => reject(new Error('The service was not ready in time')), START_TIMEOUT_MS);
  let printed = '';
  let complaints = '';
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk;
    const port = READY.exec(printed)?.[1];
    if (port !== undefined && printed.endsWith('\n')) resolve({ port, printed });
  });
  child.stderr.on('data', (chunk: Buffer) => {
    complaints = (complaints + chunk).slice(-2000);
  });
  void ended.then(() => reject(new Error(`The service did not start:\n${complaints}`)));
  void ready.catch(() => undefined).finally(() => clearTimeout(timer));
  return {
    ready,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
