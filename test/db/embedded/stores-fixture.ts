import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import pg from 'pg';
import { StartupError } from '../../../src/core/errors/startup-error.ts';
import { type EmbeddedStores, startEmbeddedStores } from '../../../src/db/embedded/index.ts';
import { eventually } from '../../support/eventually.ts';
import { isAlive, killParents, type Parent, startParent } from './parent-process.ts';

export const SOURCE = import.meta.resolve('../../../src/db/embedded/index.ts');

const STARTS_STORES = `const { startEmbeddedStores } = await import(${JSON.stringify(SOURCE)});
  const onStep = (message) => console.log(message);
  const stores = await startEmbeddedStores({ dataDir: process.argv[1], postgres: { databases: ['okapi'] },
    mongo: false, mongoDb: 'okapi', onStep });
  console.log(stores.databaseUrl('okapi')); setInterval(() => {}, 1000);`;

export interface StoresFixture {
  /** The suite's data folder, initialised and stopped; shared by its tests, since making one takes a second. */
  dataDir(): string;
  /** An empty folder (0700). */
  emptyDir(): Promise<string>;
  start(dataDir: string, databases?: string[]): Promise<EmbeddedStores>;
  /** The message of the StartupError with which the stores do not start. */
  refusal(dataDir: string): Promise<string>;
}

/** Registers the hooks that give each test its folders, and end and remove whatever it started, also when it fails. */
export function useStores(): StoresFixture {
  let dataDir = '';
  const folders: string[] = [];
  const started: EmbeddedStores[] = [];

  async function emptyDir(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'okapi-stores-'));
    folders.push(folder);
    return folder;
  }

  async function start(folder: string, databases = ['okapi']): Promise<EmbeddedStores> {
    const options = { postgres: { databases }, mongo: false, mongoDb: 'okapi', onStep: () => {} };
    const stores = await startEmbeddedStores({ dataDir: folder, ...options });
    started.push(stores);
    return stores;
  }

  async function refusal(folder: string): Promise<string> {
    const error: unknown = await start(folder).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(StartupError);
    return (error as StartupError).message;
  }

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'okapi-stores-'));
    await (await start(dataDir)).stop();
  });

  afterEach(async () => {
    const servers = await Promise.all([dataDir, ...folders].map(serverPid));
    await Promise.all([...started.splice(0).map((stores) => stores.stop()), killParents()]);
    for (const pid of servers) await eventually(() => !pid || pid === process.pid || !isAlive(pid));
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true, maxRetries: 5 });
  });

  after(() => rm(dataDir, { recursive: true }));
  return { dataDir: () => dataDir, emptyDir, start, refusal };
}

/** Starts the stores in a Node process of their own; its next line is a step, or the address of the database. */
export function startStoresInParent(dataDir: string, options?: Parameters<typeof startParent>[2]): Parent {
  return startParent(STARTS_STORES, [dataDir], options);
}

/** The first line that is an address. */
export async function addressFrom(parent: Parent): Promise<string> {
  for (;;) {
    const line = await parent.line();
    if (line.startsWith('postgres://')) return line;
  }
}

/** The process id of the server that works in a folder; 0 when there is none. */
export async function serverPid(dataDir: string): Promise<number> {
  const text = await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').catch(() => '');
  return Number.parseInt(text, 10) || 0;
}

/** Runs statements over one connection and returns the rows of the last. */
export async function query(url: string, statements: Iterable<string>): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  // The server may be killed while it is connected.
  client.on('error', () => {});
  await client.connect();
  try {
    let rows: unknown[] = [];
    for (const statement of statements) ({ rows } = await client.query(statement));
    return rows;
  } finally {
    await client.end();
  }
}
