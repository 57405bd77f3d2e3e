import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type CommandStartedEvent, type Db, type Document, MongoClient, MongoServerError } from 'mongodb';
import { type EmbeddedMongo, startEmbeddedMongo } from '../../../src/db/embedded/mongo/launch.ts';

/** What a contract is checked against: a database of its own, on the embedded server or on another. */
export interface Target {
  readonly client: MongoClient;
  readonly db: Db;
  /** The names of the commands that were sent since the last call. */
  sent(): string[];
}

/**
 * Declares the same tests for the embedded server and, when `MONGO_URL` is set, for the server there. The target is
 * filled in before the first test; its database is dropped after the last.
 */
export function describeOnMongo(title: string, declare: (target: Target) => void): void {
  describe(`${title}, on the embedded Mongo server`, () => {
    const target = {} as { -readonly [Key in keyof Target]: Target[Key] };
    let dataDir = '';
    let server: EmbeddedMongo | undefined;
    before(async () => {
      dataDir = await mkdtemp(join(tmpdir(), 'okapi-mongo-'));
      server = await startEmbeddedMongo({ dataDir });
      await connect(target, server.url('okapi'));
    });
    after(async () => {
      await target.client?.close();
      await server?.stop();
      await rm(dataDir, { recursive: true, force: true });
    });
    declare(target);
  });

  const url = process.env['MONGO_URL'];
  if (!url) return;
  describe(`${title}, on the server of MONGO_URL`, () => {
    const target = {} as { -readonly [Key in keyof Target]: Target[Key] };
    before(() => connect(target, url));
    after(async () => {
      await target.db?.dropDatabase();
      await target.client?.close();
    });
    declare(target);
  });
}

async function connect(target: { -readonly [Key in keyof Target]: Target[Key] }, url: string): Promise<void> {
  let names: string[] = [];
  target.client = new MongoClient(url, { monitorCommands: true, serverSelectionTimeoutMS: 2000 });
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
