import { once } from 'node:events';
import net from 'node:net';
import { expect } from 'chai';
import { currentCarrier } from '../../../src/core/context.ts';
import { BaseDTO } from '../../../src/core/http/dto.ts';
import { route } from '../../../src/core/http/route.ts';
import { createDatabase, type Database } from '../../../src/db/postgres/database.ts';
import { poolOptions } from '../../db/postgres/harness.ts';
import { request } from '../../support/client.ts';
import { eventually } from '../../support/eventually.ts';
import { createDatabases, type StoreAddresses } from '../../support/stores.ts';
import { errorsOf, get, serve, type TestApp } from './harness.ts';

describe('the deadline of a request', () => {
  let stores: StoreAddresses & { drop(): Promise<void> };
  let database: Database;
  let observer: Database;
  let app: TestApp;
  let signal: AbortSignal | undefined;
  const settled: unknown[] = [];
  const released = Promise.withResolvers<void>();
  const never = new Promise<never>(() => undefined);

  before(async () => {
    stores = await createDatabases();
    database = createDatabase(poolOptions(stores.databaseUrl, 1, 0));
    observer = createDatabase(poolOptions(stores.databaseUrl, 1, 0));
    await observer.query({ text: 'create table marks (n int)' });
    const keep = (work: Promise<unknown>) =>
      work.then(
        (value) => settled.push(value),
        (error) => {
          settled.push(error);
          throw error;
        },
      );
    app = await serve({
      env: { REQUEST_TIMEOUT_MS: '500' },
      routes: [
        get('/stuck', () => never),
        { ...get('/long', () => released.promise), timeoutMs: 60_000 },
        { ...get('/too-long', () => never), timeoutMs: 800 },
        get('/late', async (ctx) => {
          signal = currentCarrier()?.signal;
          await once(signal as AbortSignal, 'abort');
          ctx.set('Cache-Control', 'public');
          ctx.respond.success({ late: true });
        }),
        get('/statement', async () => {
          await keep(database.query({ text: `select pg_sleep(60) -- the slow one` }));
        }),
        get('/transaction', async () => {
          await keep(
            database.transaction(async (tx) => {
              await tx.query({ text: 'insert into marks values (1)' });
              await tx.query({ text: 'select pg_sleep(60)' }).catch(() => undefined);
              await tx.query({ text: 'insert into marks values (2)' });
            }),
          );
        }),
        get('/afterwards', async (ctx) => {
          await once(currentCarrier()?.signal as AbortSignal, 'abort');
          await keep(database.query({ text: 'insert into marks values (3)' }));
          ctx.respond.success({});
        }),
        route({
          method: 'post',
          path: '/body',
          summary: 'Takes a body',
          body: BaseDTO({}),
          responses: { 204: { description: 'Taken' } },
          handler: (ctx) => ctx.respond.success(undefined, { status: 204 }),
        }),
      ],
    });
  });
  afterEach(() => settled.splice(0));
  after(async () => {
    await app.close();
    await Promise.all([database.close(), observer.close()]);
    await stores.drop();
  });

  it('is answered with 503, although the handler never ends', async () => {
    const answer = await request(`${app.url}/api/stuck`);
    expect(answer.status).to.equal(503);
    expect(answer.body).to.include({ code: 'request.deadline', detail: 'The request was not done after 500 ms' });
    expect(answer.headers.get('retry-after')).to.equal('1');
    expect(answer.headers.get('x-frame-options')).to.equal('DENY');
    expect(errorsOf('/api/stuck')).to.deep.equal({ ServiceUnavailableError: 1 });
  });

  it('is that of its route, where the route declares a longer one', async () => {
    const long = request(`${app.url}/api/long`);
    const tooLong = await request(`${app.url}/api/too-long`);
    expect(tooLong.body).to.include({ code: 'request.deadline', detail: 'The request was not done after 800 ms' });
    const other = await request(`${app.url}/api/stuck`);
    expect(other.body).to.include({ code: 'request.deadline', detail: 'The request was not done after 500 ms' });
    released.resolve();
    expect((await long).body.code, 'nothing was answered in its handler').to.equal('http.not_found');
  });

  it('does not touch requests that are done before it', async () => {
    const patient = await serve({
      env: { REQUEST_TIMEOUT_MS: '30000' },
      routes: [get('/quick', (ctx) => ctx.respond.success({}))],
    });
    try {
      for (let n = 0; n < 20; n++) expect((await request(`${patient.url}/api/quick`)).status).to.equal(200);
    } finally {
      await patient.close();
    }
  });

  it('aborts the signal of the request; what the handler answers after that is not sent', async () => {
    const answer = await request(`${app.url}/api/late`);
    expect(answer.status).to.equal(503);
    expect(answer.headers.get('cache-control')).to.equal('no-store');
    expect(signal?.aborted).to.equal(true);
  });

  it('cancels the statement on the server, and the connection serves the next one', async () => {
    expect((await request(`${app.url}/api/statement`)).status).to.equal(503);
    await eventually(() => settled.length === 1);
    expect(settled[0]).to.include({ status: 503, code: 'request.deadline' });
    const running = await observer.query<{ query: string }>({
      text: `select query from pg_stat_activity where state = 'active' and query like '%the slow one' and pid <> pg_backend_pid()`,
    });
    expect(running).to.deep.equal([]);
    expect(database.figures()).to.include({ open: 1, inUse: 0, waiting: 0 });
    expect(await database.query({ text: 'select 1 as one' })).to.deep.equal([{ one: 1 }]);
  });

  it('rolls the transaction back, whatever its work made of the cancelled statement', async () => {
    expect((await request(`${app.url}/api/transaction`)).status).to.equal(503);
    await eventually(() => settled.length === 1);
    expect(settled[0]).to.include({ code: 'request.deadline' });
    expect(await observer.query({ text: 'select n from marks' })).to.deep.equal([]);
    expect(database.figures()).to.include({ inUse: 0 });
  });

  it('lets nothing new begin after it', async () => {
    expect((await request(`${app.url}/api/afterwards`)).status).to.equal(503);
    await eventually(() => settled.length === 1);
    expect(settled[0]).to.include({ code: 'request.deadline' });
    expect(await observer.query({ text: 'select n from marks' })).to.deep.equal([]);
  });

  it('is answered with 408 when the body has not arrived by then, and the connection ends', async () => {
    const socket = net.connect(Number(new URL(app.url).port), '127.0.0.1');
    socket.write(
      'POST /api/body HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"half":',
    );
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(socket, 'close');
    const text = Buffer.concat(chunks).toString();
    expect(text).to.match(/^HTTP\/1\.1 408 /);
    expect(text)
      .to.include('"code":"request.timeout"')
      .and.to.match(/connection: close/i);
  });
});
