import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import net from 'node:net';
import { expect } from 'chai';
import { waitForPostgres } from '../../src/db/postgres/reachable.ts';
import { bearer, request, signIn } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { freePort as closedPort } from '../support/free-port.ts';
import { expectNoneLeft } from '../support/processes.ts';
import type { ServiceOptions } from '../support/service.ts';
import { sharedStores } from '../support/stores.ts';
import { startTestMongo } from '../support/test-mongo.ts';
import { useServices } from '../support/use-services.ts';

const CLOSED_PORT = await closedPort();

describe('a start that cannot succeed', () => {
  const { run } = useServices();
  let taken: net.Server;
  let takenPort: string;

  before(async () => {
    taken = net.createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    takenPort = String((taken.address() as net.AddressInfo).port);
  });
  after(() => taken.close());

  /** Starts, expects a line a problem on stderr and nothing else, and nobody left; returns the lines. */
  async function problemsOf(options: ServiceOptions): Promise<string[]> {
    const { code, stderr, service } = await run(options);
    expect(stderr).to.match(/^(okapi: [A-Z].*\n)+$/);
    expect(code).to.equal(1);
    await expectNoneLeft(service.folder);
    return stderr.trimEnd().split('\n');
  }

  it('says that its port is in use, and which setting chooses another', async () => {
    const [port, metricsPort] = await Promise.all([
      problemsOf({ env: { PORT: takenPort } }),
      problemsOf({ env: { METRICS_PORT: takenPort } }),
    ]);
    expect(port).to.have.length(1);
    expect(port[0]).to.match(new RegExp(`^okapi: PORT: port ${takenPort} .* in use.* set PORT `));
    expect(metricsPort).to.have.length(1);
    expect(metricsPort[0]).to.match(
      new RegExp(`^okapi: METRICS_PORT: port ${takenPort} .* in use.* set METRICS_PORT `),
    );
  });

  it('says at once when PostgreSQL refuses the password or has no such database, and shows no password', async () => {
    const { databaseUrl } = sharedStores();
    const wrongPassword = new URL(databaseUrl);
    wrongPassword.password = 'not-the-right-one';
    const noDatabase = new URL(databaseUrl);
    noDatabase.pathname = '/nowhere';
    const [password, database] = await Promise.all([
      problemsOf({ env: { DATABASE_URL: wrongPassword.href } }),
      problemsOf({ env: { DATABASE_URL: noDatabase.href } }),
    ]);
    expect(password).to.have.length(1);
    expect(password[0]).to.match(
      /^okapi: DATABASE_URL: PostgreSQL at \S+ cannot be reached: password authentication failed/,
    );
    expect(password[0]).not.to.contain('not-the-right-one');
    expect(database).to.have.length(1);
    expect(database[0]).to.match(/^okapi: DATABASE_URL: .*"nowhere" does not exist/);
    expect(database[0]).not.to.contain(noDatabase.password);
  });

  it('waits for a PostgreSQL that is not there yet, then names it and the setting without the password', async () => {
    const options = { postgresSslmode: 'prefer', postgresSslCa: undefined } as const;
    const connectionString = `postgres://okapi:top-secret@127.0.0.1:${CLOSED_PORT}/orders`;
    const refused = await waitForPostgres({ ...options, connectionString }, 'DATABASE_URL', 700).catch(
      (error: Error) => error,
    );
    expect(refused).to.have.property('name', 'StartupError');
    expect(refused)
      .to.have.property('message')
      .that.matches(/^DATABASE_URL: PostgreSQL at 127\.0\.0\.1:\d+\/orders cannot be reached: .*ECONNREFUSED/)
      .and.does.not.contain('top-secret');
  });

  it('names every invalid setting, a line each', async () => {
    const problems = await problemsOf({
      env: { PORT: 'eighty', LOG_LEVEL: 'LOUD', POSTGRES_POOL_SIZE: '-1', ACCESS_TOKEN_SIGNING_KEY: 'short-secret' },
    });
    const names = problems.map((line) => line.split(' ')[1]);
    expect(names).to.have.members(['PORT', 'LOG_LEVEL', 'POSTGRES_POOL_SIZE', 'ACCESS_TOKEN_SIGNING_KEY']);
    expect(problems.join()).not.to.contain('short-secret');
  });

  it('names an address of a store that is none, before anything is started', async () => {
    const [problem, ...others] = await problemsOf({
      stores: 'embedded',
      env: { MONGO_URL: 'mongodb://okapi:top-secret@one,two:99999/' },
    });
    expect(problem)
      .to.match(/^okapi: MONGO_URL /)
      .and.not.contain('top-secret');
    expect(others).to.deep.equal([]);
  });

  it('names in production all that must be configured there', async () => {
    const problems = await problemsOf({ stores: 'none', env: { ENVIRONMENT: 'production' } });
    const names = problems.map((line) => line.split(' ')[1]);
    expect(names).to.include.members([
      'ACCESS_TOKEN_SIGNING_KEY',
      'REFRESH_TOKEN_SIGNING_KEY',
      'DATABASE_URL',
      'MONGO_URL',
      'CORS_ALLOW_ORIGINS',
      'TRUST_PROXY',
    ]);
  });
});

describe('a stop before the start is done', () => {
  const { start } = useServices();

  it('ends the stores that are being prepared, and leaves neither process nor half a folder', async () => {
    const service = await start({ stores: 'embedded', waitUntilReady: false });
    await eventually(() => /Preparing/.test(service.stdout()));
    expect(await service.stop()).to.deep.equal({ code: 0, signal: null });
    expect(service.logLines().at(-1)?.message).to.equal('Stopped');
    expect(service.stderr()).not.to.match(/ERROR|^\s+at /m);
    await expectNoneLeft(service.folder);
    expect(readdirSync(service.dataDir).filter((name) => name.startsWith('postgres'))).to.deep.equal([]);
  });

  it('ends the wait for a PostgreSQL that does not answer', async () => {
    const mute = net.createServer().listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const { port } = mute.address() as net.AddressInfo;
    const asked = once(mute, 'connection') as Promise<[net.Socket]>;
    const service = await start({ env: { DATABASE_URL: `postgres://a:b@127.0.0.1:${port}/c` }, waitUntilReady: false });
    const [socket] = await asked;
    try {
      expect(await service.stop()).to.deep.equal({ code: 0, signal: null });
      expect(service.stdout()).not.to.contain('is ready');
    } finally {
      socket.destroy();
      mute.close();
    }
  });
});

describe('a start without Mongo', () => {
  const { start } = useServices();

  it('serves, degraded, says once that Mongo is away, and stops like any other', async () => {
    const service = await start({ env: { MONGO_URL: `mongodb://127.0.0.1:${CLOSED_PORT}/okapi` } });
    const { accessToken } = await signIn(service.url);
    const activity = await request(`${service.url}/api/activity`, { headers: bearer(accessToken) });
    expect(activity.status).to.equal(503);
    expect(activity.headers.get('content-type')).to.contain('application/problem+json');
    expect(activity.body.meta).to.include({ success: false });

    const health = await eventually(async () => {
      const answer = await request(`${service.url}/health`);
      return answer.body.data.dependencies.mongo.state === 'down' && answer;
    });
    expect(health.body.data.status).to.equal('degraded');
    const ready = await request(`${service.url}/health/ready`);
    expect(ready.status).to.equal(200);
    expect(ready.body.data).to.include({ ready: true, status: 'degraded' });

    expect(await service.stop()).to.deep.equal({ code: 0, signal: null });
    const lines = service.logLines();
    expect(lines.filter(({ message }) => /mongo is away/i.test(message))).to.have.length(1);
    expect(lines.at(-1)?.message).to.equal('Stopped');
  });

  it('delivers and shows what happened meanwhile once Mongo is there, without a start of its own', async () => {
    const mongo = await startTestMongo();
    try {
      await mongo.kill();
      const service = await start({ env: { MONGO_URL: mongo.url('late'), MONGO_DB: 'late' } });
      const { accessToken } = await signIn(service.url);
      const activity = () => request(`${service.url}/api/activity`, { headers: bearer(accessToken) });
      for (let n = 0; n < 2; n++) expect((await activity()).status).to.equal(503);
      await mongo.restart();
      const { body } = await eventually(async () => {
        const answer = await activity();
        return answer.body.data?.length === 2 && answer;
      });
      expect(body.data.map(({ type }: { type: string }) => type)).to.deep.equal(['auth.signed_in', 'auth.registered']);
      expect(await service.stop()).to.deep.equal({ code: 0, signal: null });
      const jobs = service.logLines('error').filter((line) => line['job_name'] !== undefined);
      expect(jobs.map(({ message }) => message)).to.deep.equal([]);
    } finally {
      await mongo.stop();
    }
  });
});
