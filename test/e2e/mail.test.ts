import { expect } from 'chai';
import type { Database } from '../../src/db/postgres/database.ts';
import { freshCredentials, post, request } from '../support/client.ts';
import { openDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { type Service, startService } from '../support/service.ts';
import { startSmtpServer, type TestSmtpServer } from '../support/smtp-server.ts';
import { createDatabases } from '../support/stores.ts';

const SECRET = 'hunter2-of-the-mail-server';

describe('a service with a mail server', () => {
  let smtp: TestSmtpServer;
  let service: Service;
  let database: Database;
  let drop: () => Promise<void>;
  let isHanging = false;
  before(async () => {
    const databases = await createDatabases();
    drop = databases.drop;
    database = openDatabase(databases.databaseUrl);
    smtp = await startSmtpServer({
      authOptional: false,
      onMailFrom(_address, _session, done) {
        if (!isHanging) done();
      },
    });
    service = await startService({
      stores: 'none',
      env: {
        DATABASE_URL: databases.databaseUrl,
        MONGO_URL: databases.mongoUrl,
        SMTP_URL: `smtp://okapi:${SECRET}@127.0.0.1:${smtp.port}`,
        MAIL_FROM: 'Okapi <okapi@example.org>',
        AUTH_VERIFY_LINK: 'https://app.example.org/verify#{token}',
      },
    });
  });
  after(async () => {
    await service.stop();
    await smtp.close();
    await database.close();
    await drop();
  });

  it('mails who registers, resets passwords by mail, and says no token and no password in its log', async () => {
    const { email, password } = freshCredentials();
    const registered = await post(`${service.url}/api/auth/register`, { email, password });
    expect(registered.status).to.equal(201);
    const [first] = await eventually(() => smtp.to(email).length > 0 && smtp.to(email));
    expect(first).to.include({ from: 'okapi@example.org', user: 'okapi' });
    const [, verification = ''] = /https:\/\/app\.example\.org\/verify#([\w-]{43})\n/.exec(first?.text ?? '') ?? [];
    expect((await post(`${service.url}/api/auth/verify`, { token: verification })).status).to.equal(204);

    expect((await post(`${service.url}/api/auth/password/forgot`, { email })).status).to.equal(202);
    const [, second] = await eventually(() => smtp.to(email).length > 1 && smtp.to(email));
    const [, token = ''] = /\n\n([\w-]{43})\n/.exec(second?.text ?? '') ?? [];
    const new_password = 'another horse battery';
    expect((await post(`${service.url}/api/auth/password/reset`, { token, new_password })).status).to.equal(204);
    expect((await post(`${service.url}/api/auth/login`, { email, password: new_password })).status).to.equal(200);

    await eventually(() => service.logLines().filter(({ message }) => message === 'Sent a mail').length === 2);
    const written = JSON.stringify(service.logLines()) + service.stderr() + service.stdout();
    for (const secret of [verification, token, SECRET, email]) expect(written).to.not.include(secret);
    const metrics = await request(`${service.url}/metrics/background_job`);
    expect(metrics.text).to.match(/background_job_runs_total\{job_name="send_mail"\} 2/);
    expect(metrics.text).to.match(/background_job_failures_total\{job_name="send_mail"\} 0/);
  });

  it('stops in good order while the mail server hangs, and the mail waits for its next start', async () => {
    isHanging = true;
    const { email, password } = freshCredentials();
    await post(`${service.url}/api/auth/register`, { email, password });
    const waiting = () =>
      database.query<{ attempts: number; isDue: boolean }>({
        text: 'select attempts, due_at <= now() as "isDue" from account_mails',
      });
    await eventually(async () => (await waiting())[0]?.attempts === 1);
    expect((await service.stop()).code).to.equal(0);
    expect(service.stderr()).to.not.include('was left behind');
    expect(await waiting()).to.deep.equal([{ attempts: 1, isDue: true }]);
  });
});
