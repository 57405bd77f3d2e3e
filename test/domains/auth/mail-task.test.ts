import { expect } from 'chai';
import { readSettings } from '../../../src/core/config/index.ts';
import { MailError, PasswordSecurity } from '../../../src/core/index.ts';
import { createMailerOn, type Mail } from '../../../src/core/mail/mailer.ts';
import type { Database } from '../../../src/db/postgres/database.ts';
import { migrate } from '../../../src/db/postgres/migrations.ts';
import { createAccountTokenStore } from '../../../src/domains/auth/account-tokens.ts';
import { createAccountMailStore, requestAccountMail } from '../../../src/domains/auth/mail-queue.ts';
import { createMailTask } from '../../../src/domains/auth/mail-task.ts';
import { MIGRATION_FOLDERS } from '../../../src/domains/compose.ts';
import { openDatabase, poolOptions } from '../../support/database.ts';
import { createDatabases } from '../../support/stores.ts';

const ADA = 'ada@example.org';

describe('a mail that was asked for', () => {
  let database: Database;
  let drop: () => Promise<void>;
  let sent: Mail[];
  /** What the next mails meet with: an error, or a promise to wait for. */
  let fate: (mail: Mail, signal?: AbortSignal) => Promise<void>;
  before(async () => {
    const databases = await createDatabases();
    drop = databases.drop;
    await migrate({ ...poolOptions(databases.databaseUrl), folders: MIGRATION_FOLDERS });
    database = openDatabase(databases.databaseUrl, 4);
  });
  beforeEach(async () => {
    sent = [];
    fate = async () => undefined;
    await query('delete from account_mails');
    await query('delete from users');
    await query(`insert into users (id, email, password_hash) values (gen_random_uuid(), $1, 'x')`, ADA);
  });
  after(async () => {
    await database.close();
    await drop();
  });

  const query = <Row extends object>(text: string, ...values: unknown[]) => database.query<Row>({ text }, values);
  const running = new AbortController().signal;
  const mailer = createMailerOn(async (mail, signal) => {
    await fate(mail, signal);
    sent.push(mail);
  });
  const task = () =>
    createMailTask({
      mails: createAccountMailStore(database),
      accountTokens: createAccountTokenStore(database),
      mailer,
      passwords: new PasswordSecurity(readSettings({})),
      texts: { projectName: 'Shop', links: { reset_password: undefined, verify_email: undefined } },
    });
  const ask = (email = ADA) => requestAccountMail(database, 'reset_password', email);
  const waiting = () =>
    query<{ attempts: number; seconds: number }>(
      'select attempts, round(extract(epoch from due_at - now()))::int as seconds from account_mails',
    );
  const makeDue = () => query('update account_mails set due_at = now()');

  it('is sent once, and waits no more', async () => {
    await ask();
    await ask();
    await task().run(running);
    await task().run(running);
    expect(sent).to.have.lengthOf(1);
    expect(sent[0]).to.include({ to: ADA, subject: 'Shop: choose a new password' });
    expect(await waiting()).to.deep.equal([]);
  });

  it('is sent once by many replicas together', async () => {
    const addresses = Array.from({ length: 60 }, (_, n) => `person${n}@example.org`);
    for (const email of addresses) {
      await query(`insert into users (id, email, password_hash) values (gen_random_uuid(), $1, 'x')`, email);
      await ask(email);
    }
    await Promise.all(Array.from({ length: 4 }, () => task().run(running)));
    expect(sent.map(({ to }) => to).sort()).to.deep.equal([...addresses].sort());
  });

  it('is not sent where there is no account, or a disabled one', async () => {
    await query('update users set disabled_at = now()');
    await ask();
    await ask('nobody@example.org');
    await task().run(running);
    expect(sent).to.deep.equal([]);
    expect(await waiting()).to.deep.equal([]);
  });

  it('is not sent to verify what is verified', async () => {
    await query('update users set verified_at = now()');
    await requestAccountMail(database, 'verify_email', ADA);
    await task().run(running);
    expect(sent).to.deep.equal([]);
    expect(await waiting()).to.deep.equal([]);
  });

  it('is tried again later and later, and given up in the end', async () => {
    fate = async () => {
      throw new MailError('The mail server cannot be used');
    };
    await ask();
    const waits: number[] = [];
    for (let time = 1; time <= 5; time++) {
      await task().run(running);
      waits.push(...(await waiting()).map(({ seconds }) => seconds));
      await makeDue();
    }
    expect(waits).to.deep.equal([10, 60, 300, 900]);
    expect(await waiting()).to.deep.equal([]);
  });

  it('arrives in the end with a token that works, when the server was away for a while', async () => {
    fate = async () => {
      throw new MailError('The mail server cannot be used');
    };
    await ask();
    await task().run(running);
    await makeDue();
    fate = async () => undefined;
    await task().run(running);
    const [, token = ''] = /\n\n([\w-]{43})\n/.exec(sent[0]?.text ?? '') ?? [];
    const tokens = createAccountTokenStore(database);
    const hash = new PasswordSecurity(readSettings({})).generateTokenHash(token);
    expect(await tokens.findEmail('reset_password', hash)).to.equal(ADA);
  });

  it('is not tried again when it can never be taken', async () => {
    fate = async () => {
      throw new MailError('No such mailbox', { isPermanent: true });
    };
    await ask();
    await task().run(running);
    expect(await waiting()).to.deep.equal([]);
  });

  it('holds up no other', async () => {
    await query(`insert into users (id, email, password_hash) values (gen_random_uuid(), 'eve@example.org', 'x')`);
    fate = async ({ to }) => {
      if (to === ADA) throw new MailError('No');
    };
    await ask();
    await ask('eve@example.org');
    await task().run(running);
    expect(sent.map(({ to }) => to)).to.deep.equal(['eve@example.org']);
  });

  it('is sent by somebody else when its sender is gone', async () => {
    await ask();
    const [claimed] = await createAccountMailStore(database).claim(10, 90);
    expect(claimed).to.include({ email: ADA, attempts: 1 });
    await task().run(running);
    expect(sent, 'not before its time').to.deep.equal([]);
    expect((await waiting())[0]?.seconds).to.be.within(60, 90);
    await makeDue();
    await task().run(running);
    expect(sent).to.have.lengthOf(1);
    await createAccountMailStore(database).remove(claimed as NonNullable<typeof claimed>);
  });

  it('is not lost when the service stops while the server takes its time', async () => {
    const stop = new AbortController();
    fate = (_, signal) => {
      stop.abort();
      return new Promise((_resolve, reject) =>
        signal?.addEventListener('abort', () => reject(new MailError('Called off'))),
      );
    };
    await ask();
    await task().run(stop.signal);
    expect(sent).to.deep.equal([]);
    expect((await waiting()).map(({ seconds }) => seconds)).to.satisfy(([seconds]: number[]) => (seconds ?? 9) <= 0);
    fate = async () => undefined;
    await task().run(running);
    expect(sent).to.have.lengthOf(1);
  });

  it('still arrives when it is under way as the service stops', async () => {
    const stop = new AbortController();
    fate = async () => stop.abort();
    await ask();
    await task().run(stop.signal);
    expect(sent).to.have.lengthOf(1);
    expect(await waiting()).to.deep.equal([]);
  });

  it('waits while the task is stopped already', async () => {
    await ask();
    await task().run(AbortSignal.abort());
    expect(await waiting()).to.have.lengthOf(1);
  });
});
