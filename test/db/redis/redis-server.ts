import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { freePort } from '../../support/free-port.ts';
import { temporaryFolder } from '../../support/service.ts';

const READY = /Ready to accept connections/;

/** A Redis of the machine, for one test file. */
export type RedisServer = {
  readonly url: string;
  readonly port: number;
  /** Stops it from running without ending it, as a machine that hangs; `SIGCONT` lets it run on. */
  signal(signal: NodeJS.Signals): void;
  /** Ends it at once. */
  kill(): Promise<void>;
  /** Starts it again on the same port, empty. */
  restart(): Promise<void>;
  command(...words: [string, ...string[]]): Promise<unknown>;
};

const servers = new Set<ChildProcess>();

/** A `describe` whose tests need a `redis-server` on the `PATH`: without one they are left out, and it says so. */
export function describeWithRedis(title: string, tests: () => void): void {
  if (spawnSync('redis-server', ['--version']).status === 0) describe(title, tests);
  else describe.skip(`${title} (left out: no redis-server on the PATH)`, tests);
}

/** Starts a `redis-server` on a free port of loopback. */
export async function startRedis(args: readonly string[] = []): Promise<RedisServer> {
  const port = await freePort();
  let server = await launch(port, args);
  const end = async () => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const gone = once(server, 'exit');
    server.kill('SIGKILL');
    await gone;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    signal: (signal) => void server.kill(signal),
    kill: end,
    async restart() {
      await end();
      server = await launch(port, args);
    },
    async command(name, ...rest) {
      const client = new Redis(port, '127.0.0.1');
      try {
        return await client.call(name, ...rest);
      } finally {
        client.disconnect();
      }
    },
  };
}

async function launch(port: number, args: readonly string[]): Promise<ChildProcess> {
  const own = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', temporaryFolder()];
  const server = spawn('redis-server', [...own, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  servers.add(server);
  server.once('exit', () => servers.delete(server));
  let output = '';
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.stdout.on('data', (chunk: Buffer) => {
    output += chunk;
    if (READY.test(output)) resolve();
  });
  server.once('exit', () => reject(new Error(`redis-server ended:\n${output}`)));
  await promise;
  return server;
}

// Whatever becomes of the tests: a server that is stopped by a signal ends by this one too.
process.once('exit', () => {
  for (const server of servers) server.kill('SIGKILL');
});
