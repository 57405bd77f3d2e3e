import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { type EmbeddedStores, startEmbeddedStores } from '../src/db/embedded/index.ts';
import { freePort } from '../test/support/free-port.ts';
import { type Receiver, startReceiver } from './counting/receiver.ts';
import { findLoadTool, type LoadTool } from './load/load.ts';
import { MeasuredServer } from './measured-server.ts';
import type { BenchOptions } from './options.ts';
import { installPackages } from './processes/install.ts';
import { type Pinning, pinThisProcess } from './processes/pinning.ts';
import { canPrefer } from './processes/priority.ts';
import { type Reaper, startReaper } from './processes/reaper.ts';
import { startServer } from './processes/server.ts';
import { PEERS, SERVERS } from './servers.ts';
import type { UsersQuestion } from './users.ts';

export type StartOptions = {
  bodyBytes?: number;
  users?: UsersQuestion | undefined;
  /** Asked for the first answer instead of the server's own choice. */
  readyPath?: string;
  onAllCores?: boolean;
  nodeArgs?: readonly string[];
};

const DATABASE = 'okapi';
const WORK = join(import.meta.dirname, '.work');

/** Everything that a benchmark starts, and the end of it. */
export class Workbench {
  readonly options: BenchOptions;
  readonly signal: AbortSignal;
  readonly pinning: Pinning;
  readonly tool: LoadTool;
  readonly #folder: string;
  readonly #reaper: Reaper;
  readonly #receiver: Receiver;
  readonly #stores: EmbeddedStores;
  readonly #servers = new Set<MeasuredServer>();
  #started = 0;

  private constructor(
    options: BenchOptions,
    signal: AbortSignal,
    own: {
      pinning: Pinning;
      tool: LoadTool;
      folder: string;
      reaper: Reaper;
      receiver: Receiver;
      stores: EmbeddedStores;
    },
  ) {
    this.options = options;
    this.signal = signal;
    this.pinning = own.pinning;
    this.tool = own.tool;
    this.#folder = own.folder;
    this.#reaper = own.reaper;
    this.#receiver = own.receiver;
    this.#stores = own.stores;
  }

  /** Starts the stores and the OTLP receiver. `signal` ends all waiting; `close` ends what was started. */
  static async open(options: BenchOptions, signal: AbortSignal): Promise<Workbench> {
    const pinning = pinThisProcess();
    const tool = findLoadTool();
    if (!canPrefer())
      say('The load cannot go before what else runs on its core (chrt, as root): its waits count as latency');
    mkdirSync(WORK, { recursive: true });
    const folder = mkdtempSync(join(WORK, 'run-'));
    const reaper = startReaper(folder);
    try {
      if (tool.name === 'autocannon') await installPackages(PEERS, say, signal);
      const stores = await startEmbeddedStores({
        dataDir: join(folder, 'stores'),
        postgres: { databases: [DATABASE] },
        mongo: true,
        mongoDb: DATABASE,
        onStep: () => undefined,
        signal,
      });
      const receiver = await startReceiver();
      return new Workbench(options, signal, { pinning, tool, folder, reaper, receiver, stores });
    } catch (error) {
      reaper.release();
      throw error;
    }
  }

  /** The database of the servers. */
  get databaseUrl(): string {
    return this.#stores.databaseUrl?.(DATABASE) ?? '';
  }

  /** Starts a server by its id, its packages installed. */
  async start(id: string, options: StartOptions = {}): Promise<MeasuredServer> {
    this.signal.throwIfAborted();
    const definition = SERVERS[id];
    if (definition === undefined) throw new Error(`There is no server ${id}`);
    if (definition.packages !== undefined) await installPackages(definition.packages, say, this.signal);
    const name = `${id}-${++this.#started}`;
    const folder = join(this.#folder, name);
    const at = {
      port: await freePort(),
      secondPort: await freePort(),
      folder,
      receiverUrl: this.#receiver.urlFor(name),
      databaseUrl: this.databaseUrl,
      mongoUrl: this.#stores.mongoUrl ?? '',
      bodyBytes: options.bodyBytes ?? 240,
      users: options.users,
      okapiEnv: this.options.env,
      nodeArgs: options.nodeArgs ?? [],
    };
    const { onAllCores, onServerCore } = this.pinning;
    const command = (options.onAllCores ? onAllCores : onServerCore)(definition.command(at));
    const readyPath = options.readyPath ?? definition.readyPath;
    const spec = { id, command, cwd: definition.cwd, env: definition.env(at), port: at.port, readyPath, folder };
    const running = await startServer(spec, this.#reaper, this.signal);
    const received = () => this.#receiver.received(name);
    const server = new MeasuredServer(id, definition, running, folder, received);
    this.#servers.add(server);
    return server;
  }

  async stop(server: MeasuredServer): Promise<void> {
    this.#servers.delete(server);
    await server.stop();
  }

  /** Ends everything, and removes what it wrote. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#servers].map((server) => server.stop()));
    await Promise.allSettled([this.#receiver.close(), this.#stores.stop()]);
    this.#reaper.release();
  }

  say(line: string): void {
    say(line);
  }
}

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
