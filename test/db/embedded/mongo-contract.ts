import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  type CommandStartedEvent,
  type Db,
  type Document,
  MongoClient,
  type MongoClientOptions,
  MongoServerError,
} from 'mongodb';
import { type EmbeddedMongo, startEmbeddedMongo } from '../../../src/db/embedded/mongo/launch.ts';

/** What a contract is checked against: a database of its own, on the embedded server or on another. */
export interface Target {
  readonly client: MongoClient;
  readonly db: Db;
  /** The names of the commands that were sent since the last call. */
  sent(): string[];
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

export interface EmbeddedFixture {
  /** A folder of the suite's own. */
  dataDir(): string;
  /** Starts a server on it, which ends with the suite. */
  start(options?: { sweepEveryMs?: number }): Promise<EmbeddedMongo>;
  /** A client of that server, which is closed with the suite. */
  client(server: EmbeddedMongo, options?: MongoClientOptions): MongoClient;
}

/** Registers the hooks that remove whatever the suite starts, also when it fails. */
export function useEmbeddedMongo(): EmbeddedFixture {
  let dataDir = '';
  const servers: EmbeddedMongo[] = [];
  const clients: MongoClient[] = [];
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'okapi-mongo-'));
  });
  after(async () => {
    await Promise.allSettled(clients.map((client) => client.close()));
    await Promise.allSettled(servers.map((server) => server.stop()));
    await rm(dataDir, { recursive: true, force: true });
  });
  return {
    dataDir: () => dataDir,
    async start(options) {
      const server = await startEmbeddedMongo({ dataDir, ...options });
      servers.push(server);
      return server;
    },
    client(server, options) {
      const client = new MongoClient(server.url('okapi'), options);
      clients.push(client);
      return client;
    },
  };
}

/**
 * Declares the same tests for the embedded server and, when `MONGO_URL` is set, for the server there. The target is
 * filled in before the first test; its database is dropped after the last.
 */
export function describeOnMongo(title: string, declare: (target: Target) => void): void {
  describe(`${title}, on the embedded Mongo server`, () => {
    const embedded = useEmbeddedMongo();
    const target = {} as Writable<Target>;
    before(async () => connect(target, (await embedded.start()).url('okapi')));
    after(() => target.client?.close());
    declare(target);
  });

  const url = process.env['MONGO_URL'];
  if (!url) return;
  describe(`${title}, on the server of MONGO_URL`, () => {
    const target = {} as Writable<Target>;
    before(() => connect(target, url));
    after(async () => {
      await target.db?.dropDatabase().finally(() => target.client.close());
    });
    declare(target);
  });
}

async function connect(target: Writable<Target>, url: string): Promise<void> {
  let names: string[] = [];
  target.client = new MongoClient(url, { monitorCommands: true });
  target.client.on('commandStarted', ({ commandName }: CommandStartedEvent) => names.push(commandName));
  target.db = target.client.db(`okapi_${randomBytes(6).toString('hex')}`);
  target.sent = () => {
    const sent = names;
    names = [];
    return sent;
  };
  await target.db.command({ ping: 1 });
}

/** The error a server answers with. */
export async function refusal(promise: Promise<unknown>): Promise<MongoServerError & Document> {
  try {
    await promise;
  } catch (error) {
    expect(error).to.be.instanceOf(MongoServerError);
    return error as MongoServerError;
  }
  throw new Error('not refused');
}
