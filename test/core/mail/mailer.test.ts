import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readSettings } from '../../../src/core/config/index.ts';
import { createMailer } from '../../../src/core/mail/create-mailer.ts';
import { createFolderTransport } from '../../../src/core/mail/folder-transport.ts';
import { createMailerOn, MailError } from '../../../src/core/mail/mailer.ts';
import { temporaryFolder } from '../../support/service.ts';
import { startSmtpServer } from '../../support/smtp-server.ts';

const MAIL = { to: 'ada@example.org', subject: 'Hello', text: 'A token: abc' };
const DEPLOYED = {
  ENVIRONMENT: 'production',
  TRUST_PROXY: 'none',
  CORS_ALLOW_ORIGINS: 'https://app.example.org',
  DATABASE_URL: 'postgres://u:p@db.internal/okapi',
  MONGO_URL: 'mongodb://db.internal',
  ACCESS_TOKEN_SIGNING_KEY: 'K7vq2LzR9xTb4WnY8mPc3HsD6jFg5AeU1oXi',
  REFRESH_TOKEN_SIGNING_KEY: 'Q3wm8NxV5cJt7BzK2rYp9LfS4hGd6UaE1iOe',
};

describe('mail', () => {
  it('is written to files that only this user can read, in development', async () => {
    const dataDir = temporaryFolder();
    const mailer = await createMailer(readSettings({ DATA_DIR: dataDir }));
    expect(mailer.isAvailable).to.equal(true);
    mailer.assertAvailable();
    await mailer.send(MAIL);
    const folder = join(dataDir, 'mail');
    const [file = ''] = readdirSync(folder);
    expect(statSync(folder).mode & 0o777).to.equal(0o700);
    expect(statSync(join(folder, file)).mode & 0o777).to.equal(0o600);
    expect(readFileSync(join(folder, file), 'utf8'))
      .to.match(/^Date: .*\nTo: ada@example\.org\nSubject: Hello\n/)
      .and.match(/\n\nA token: abc\n$/);
  });

  it('fills no disk in development: the newest hundred are kept', async () => {
    const folder = temporaryFolder();
    for (let n = 0; n < 120; n++)
      writeFileSync(join(folder, `2020-01-01T00-00-00.${String(n).padStart(3, '0')}Z.eml`), '');
    writeFileSync(join(folder, 'notes.txt'), 'of the developer');
    await createFolderTransport(folder)(MAIL);
    const files = readdirSync(folder).sort();
    expect(files.filter((file) => file.endsWith('.eml'))).to.have.lengthOf(100);
    expect(files).to.include('notes.txt').and.not.include('2020-01-01T00-00-00.020Z.eml');
    expect(files).to.include('2020-01-01T00-00-00.021Z.eml');
  });

  it('that cannot be written says where and why', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'okapi-mail-'));
    try {
      const file = join(folder, 'mail');
      writeFileSync(file, '');
      const error = await createFolderTransport(file)(MAIL).catch((reason: unknown) => reason as Error);
      expect(error).to.be.instanceOf(MailError);
      expect((error as Error).message)
        .to.include(file)
        .and.include('EEXIST');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is not available in production without SMTP_URL, which stops no start', async () => {
    const mailer = await createMailer(readSettings(DEPLOYED));
    expect(mailer.isAvailable).to.equal(false);
    expect(() => mailer.assertAvailable())
      .to.throw()
      .that.includes({ status: 503, code: 'mail.unavailable' });
    expect(await mailer.send(MAIL).catch((error: unknown) => error)).to.be.instanceOf(MailError);
  });

  it('goes over SMTP with SMTP_URL, wherever', async () => {
    const server = await startSmtpServer();
    try {
      for (const env of [DEPLOYED, {}]) {
        const smtp = { SMTP_URL: `smtp://127.0.0.1:${server.port}`, MAIL_FROM: 'Okapi <okapi@example.org>' };
        const mailer = await createMailer(readSettings({ ...env, ...smtp }));
        await mailer.send(MAIL);
      }
      expect(server.to(MAIL.to)).to.have.lengthOf(2);
    } finally {
      await server.close();
    }
  });

  it('counts as a job', async () => {
    const { backgroundJobRuns, backgroundJobFailures } = await import('../../../src/core/telemetry/metrics/metrics.ts');
    const labels = { job_name: 'send_mail' };
    const [runs, failures] = [backgroundJobRuns.labels(labels), backgroundJobFailures.labels(labels)];
    const before = [runs.value, failures.value];
    let works = true;
    const mailer = createMailerOn(async () => {
      if (!works) throw new MailError('No');
    });
    await mailer.send(MAIL);
    works = false;
    await mailer.send(MAIL).catch(() => undefined);
    expect([runs.value, failures.value]).to.deep.equal([(before[0] ?? 0) + 2, (before[1] ?? 0) + 1]);
  });
});
