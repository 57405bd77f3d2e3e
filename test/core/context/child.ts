import { EventEmitter, once } from 'node:events';
import { writeSync } from 'node:fs';
import { pipeline, Readable, Transform, Writable } from 'node:stream';
import { pipeline as pipelined } from 'node:stream/promises';
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import { trace } from '@opentelemetry/api';
import { getLogger, startLogging, stopLogger } from '../../../src/core/logging/index.ts';
import { Gate } from '../../../src/core/security/gate.ts';
import { getTelemetry } from '../../../src/core/telemetry/sdk.ts';
import { createMongo } from '../../../src/db/mongo/client.ts';
import { createPool } from '../../../src/db/postgres/pool.ts';
import { openDatabase, poolOptions } from '../../db/postgres/harness.ts';
import { get, serve } from '../http/harness.ts';
import { SERVICE } from '../logging/harness.ts';

/*
 * A service whose one route does, in an order of its own for each request, all that is known to lose a context. What
 * it says carries by hand, as `own`, whose request it is.
 */
const [databaseUrl = '', mongoUrl = '', dir = '', count = '1'] = process.argv.slice(2);
startLogging(
  { level: 'ERROR', dir, files: true, consoleFormat: 'json', colors: false, service: SERVICE },
  { maxFileBytes: 1e9, appQueueBytes: 1e9 },
);
const log = getLogger('app.test.context');
const tracer = trace.getTracer('context-test');
// Fewer connections than requests, so that who waits is woken by the end of somebody else's.
const database = openDatabase(databaseUrl, Math.ceil(Number(count) / 40), 1);
const pool = createPool(poolOptions(databaseUrl, 2, 0));
const mongoGate = new Gate(15, Number.POSITIVE_INFINITY);
const mongo = createMongo(mongoUrl, new URL(mongoUrl).pathname.slice(1), 'okapi-test', []);
const bus = new EventEmitter().setMaxListeners(0);
let onTheBus: string[] = [];

type Step = (own: string) => Promise<unknown>;
const say = (own: string, step: string) => log.info(step, { own });
const soon = () => wait(Math.random() * 8);

const STEPS: Record<string, Step> = {
  async timers(own) {
    for (const later of [setTimeout, setImmediate, process.nextTick, queueMicrotask] as ((run: () => void) => void)[]) {
      await new Promise<void>((resolve) =>
        later(() => {
          say(own, 'timer');
          resolve();
        }),
      );
    }
    let ticks = 0;
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        say(own, 'interval');
        if (++ticks < 3) return;
        clearInterval(timer);
        resolve();
      }, 1);
    });
  },
  async emitter(own) {
    // Whoever comes by next wakes all that wait.
    const woken = onTheBus;
    onTheBus = [own];
    const awake = once(bus, own);
    for (const other of woken) bus.emit(other);
    void soon().then(() => bus.emit(own));
    await awake;
    say(own, 'woken by another request');
  },
  async streams(own) {
    const through = new Transform({
      transform(chunk, _encoding, done) {
        say(own, 'transform');
        setTimeout(() => done(null, chunk), 1);
      },
    });
    const end = new Writable({
      write(_chunk, _encoding, done) {
        say(own, 'write');
        setImmediate(done);
      },
    });
    await pipelined(Readable.from(['a', 'b', 'c']), through, end);
    await new Promise<void>((resolve) => {
      pipeline(Readable.from(['d']), new Writable({ write: (_chunk, _encoding, done) => done() }), () => {
        say(own, 'pipeline');
        resolve();
      });
    });
  },
  async postgres(own) {
    const text = `select pg_sleep(0.002) /* ${own} */`;
    await Promise.all([database.query({ text }), database.query({ text })]);
    say(own, 'statements');
  },
  async transaction(own) {
    await database.transaction(async (tx) => {
      await tx.query({ text: `select 1 /* ${own} */` });
      say(own, 'transaction');
      await soon();
      await tx.query({ text: `select pg_sleep(0.001) /* ${own} */` });
    });
    say(own, 'committed');
  },
  async poolCallbacks(own) {
    await new Promise<void>((resolve) =>
      pool.connect((_error, client, release) => {
        say(own, 'connection');
        void client?.query('select pg_sleep(0.001)').then(() => {
          say(own, 'result');
          release();
          resolve();
        });
      }),
    );
  },
  async failingStatement(own) {
    await database.query({ text: `select nothing_of_that_name /* ${own} */` }).catch(() => say(own, 'refused'));
  },
  async mongo(own) {
    const leave = await mongoGate.enter();
    const things = mongo.db.collection(own);
    await things.insertMany(Array.from({ length: 5 }, (_, n) => ({ n })));
    say(own, 'inserted');
    for await (const _thing of things.find({}, { batchSize: 2 })) say(own, 'cursor');
    const stream = things.find({}, { batchSize: 2 }).stream();
    stream.on('data', () => say(own, 'cursor stream'));
    await once(stream, 'end');
    leave?.();
    say(own, 'cursors');
  },
  async span(own) {
    await tracer.startActiveSpan(own, async (span) => {
      await database.query({ text: `select 1 /* ${own} */` });
      await turn();
      say(own, 'inside a span');
      span.end();
    });
    say(own, 'after a span');
  },
};

function shuffled<T>(items: T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

async function* chunks(own: string): AsyncGenerator<Buffer> {
  for (let n = 0; n < 8; n++) {
    yield Buffer.alloc(40_000, 'x');
    await soon();
    say(own, 'answer stream');
  }
}

const app = await serve({
  // A slow machine is to be slow, not to refuse.
  env: { MAX_IN_FLIGHT: '5000', RATE_LIMIT_ENABLED: 'false', REQUEST_TIMEOUT_MS: '300000' },
  authenticate: async (ctx, next) => {
    await soon();
    ctx.state.carrier.userId = `user of ${ctx.state.requestId}`;
    await next();
  },
  routes: [
    {
      ...get('/everything/:own', async (ctx) => {
        const own = ctx.params?.['own'] ?? '';
        say(own, 'begin');
        const [first, second, ...others] = shuffled(Object.values(STEPS)) as [Step, Step, ...Step[]];
        await Promise.all([first(own), second(own)]);
        for (const step of others) await step(own);
        say(own, 'end');
        if (ctx.query['streamed'] === undefined) ctx.respond.success({ own });
        else ctx.body = Readable.from(chunks(own));
      }),
      authenticated: true,
    },
  ],
});

process.once('SIGTERM', async () => {
  await app.close();
  await Promise.all([database.close(), pool.end(), mongo.close()]);
  const problem = await getTelemetry().shutdown(20_000);
  if (problem !== undefined) throw new Error(problem);
  await stopLogger();
  process.exit(0);
});
writeSync(1, `${app.url}\n`);
