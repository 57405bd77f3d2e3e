import { fileURLToPath } from 'node:url';
import { createBackgroundTasks, type TaskClock } from '../../../src/core/background/tasks.ts';
import { createOutbox, type Outbox, type OutboxMessage, type Receiver } from '../../../src/db/outbox/outbox.ts';
import type { Database, Queryable } from '../../../src/db/postgres/database.ts';
import { migrate } from '../../../src/db/postgres/migrations.ts';
import { openDatabase, poolOptions } from '../../support/database.ts';
import { createDatabases, type StoreAddresses } from '../../support/stores.ts';

const MIGRATIONS = fileURLToPath(new URL('../../../src/db/outbox/migrations', import.meta.url));

/** Time that never passes: what a task does then, it does at its start or because it was woken. */
const standingClock: TaskClock = {
  now: () => 0,
  wait: (_ms, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve());
    }),
};

export class Away extends Error {}

/** Keeps what it gets, each message once, and how it got it. */
export class FakeReceiver implements Receiver {
  readonly received: OutboxMessage[] = [];
  /** Streams of which messages came while others of them were being taken. */
  readonly overlaps: string[] = [];
  /** How often messages came that were there already. */
  repeated = 0;
  pings = 0;
  isAway = false;
  /** Called before anything is kept. */
  beforeTaking: () => Promise<void> = async () => undefined;
  readonly #taking = new Set<string>();
  readonly #known = new Set<string>();

  async deliver(messages: readonly OutboxMessage[]): Promise<void> {
    const streams = [...new Set(messages.map(({ stream }) => stream))];
    this.overlaps.push(...streams.filter((stream) => this.#taking.has(stream)));
    for (const stream of streams) this.#taking.add(stream);
    try {
      if (this.isAway) throw new Away('nobody is there');
      await this.beforeTaking();
      for (const message of messages) {
        if (this.#known.has(message.messageId)) this.repeated++;
        else this.received.push(message);
        this.#known.add(message.messageId);
      }
    } finally {
      for (const stream of streams) this.#taking.delete(stream);
    }
  }

  async ping(): Promise<void> {
    this.pings++;
    if (this.isAway) throw new Away('nobody is there');
  }

  isUnavailable(error: unknown): boolean {
    return error instanceof Away;
  }

  /** What the messages of a stream say, in the order in which they came. */
  textsOf(stream: string): unknown[] {
    return this.received.filter((each) => each.stream === stream).map(({ message }) => message['text']);
  }
}

export type Worker = { outbox: Outbox; stop(): Promise<void> };

/** An empty outbox, and workers on it as if each were a process of its own. */
export async function createTestOutbox() {
  const stores: StoreAddresses & { drop(): Promise<void> } = await createDatabases();
  await migrate({ ...poolOptions(stores.databaseUrl), folders: [MIGRATIONS] });
  const database = openDatabase(stores.databaseUrl, 10, 10);
  const workers: Worker[] = [];
  return {
    database,
    /** Starts a worker; its time stands still unless `clock` says otherwise. */
    startWorker(receiver: Receiver, { max = 1000, clock = standingClock, only = /./ } = {}): Worker {
      const own: Database = openDatabase(stores.databaseUrl);
      const tasks = createBackgroundTasks({ clock });
      const outbox = createOutbox({ database: own, receiver, max });
      for (const task of outbox.tasks) if (only.test(task.name)) tasks.start(task);
      const worker = {
        outbox,
        async stop() {
          await tasks.stop();
          await outbox.close();
          await own.close();
        },
      };
      workers.push(worker);
      return worker;
    },
    /** Ends all workers. */
    async stopWorkers(): Promise<void> {
      await Promise.all(workers.splice(0).map((worker) => worker.stop()));
    },
    async close(): Promise<void> {
      await Promise.all(workers.splice(0).map((worker) => worker.stop()));
      await database.close();
      await stores.drop();
    },
  };
}

/** Appends a message to a stream. */
export async function append(db: Queryable, stream: string, text: string, traceparent: string | null = null) {
  await db.query({ text: 'select outbox_append($1, $2, $3)' }, [stream, JSON.stringify({ text }), traceparent]);
}
