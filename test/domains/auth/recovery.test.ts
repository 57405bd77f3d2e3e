import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { tokenHash } from '../../../src/core/security/token-hash.ts';
import { createAccountTokenStore, type MailPurpose } from '../../../src/domains/auth/account-tokens.ts';
import { type Answer, bearer, freshCredentials, request, type SignedIn } from '../../support/client.ts';
import { eventually } from '../../support/eventually.ts';
import { expectProblem } from '../../support/problem.ts';
import { type Caller, startTestApp, type TestApp } from '../../support/test-app.ts';

const NEW_PASSWORD = 'another horse battery';
const LINK = 'https://app.example.org/reset#';

describe('who reads the mail of an account', () => {
  let app: TestApp;
  let me: Caller & { readonly user: SignedIn };
  before(async () => {
    app = await startTestApp({ RATE_LIMIT_ENABLED: 'false', AUTH_RESET_LINK: `${LINK}{token}` });
  });
  beforeEach(async () => {
    me = await app.signIn();
  });
  after(() => app.stop());

  const forgot = (email: unknown) => app.anyone.post('/api/auth/password/forgot', { email });
  const reset = (token: unknown, new_password: unknown = NEW_PASSWORD) =>
    app.anyone.post('/api/auth/password/reset', { token, new_password });
  const verify = (token: unknown) => app.anyone.post('/api/auth/verify', { token });
  const login = (password: string, email = me.user.email) => app.anyone.post('/api/auth/login', { email, password });
  const query = <Row extends object>(text: string, ...values: unknown[]) => app.database.query<Row>({ text }, values);
  /** Puts a token into the mailbox of a user without waiting for the mail. */
  const tokenFor = async (purpose: MailPurpose, email = me.user.email): Promise<string> => {
    const token = randomBytes(32).toString('base64url');
    await createAccountTokenStore(app.database).put(me.user.id, purpose, email, tokenHash(token));
    return token;
  };
  const isVerified = async () => {
    const [row] = await query<{ at: Date | null }>('select verified_at as at from users where id = $1', me.user.id);
    return row?.at instanceof Date;
  };
  const hasEvent = (type: string, token: string) =>
    eventually(async () => {
      const { body } = await request(`${app.url}/api/activity?limit=100`, { headers: bearer(token) });
      return body.data.some((event: { type: string }) => event.type === type);
    });
  const tokensIn = (mails: string[], before = '\n\n') =>
    mails.flatMap((mail) => new RegExp(`${RegExp.escape(before)}([\\w-]{43})\n`).exec(mail)?.[1] ?? []);

  describe('and has forgotten the password', () => {
    it('gets a token by mail that lets them choose another, and all sessions end', async () => {
      expect((await forgot(me.user.email.toUpperCase())).status).to.equal(202);
      const [token = ''] = await eventually(() => {
        const found = tokensIn(app.mailsTo(me.user.email), LINK);
        return found.length > 0 && found;
      });
      const answer = await reset(token);
      expect(answer.status, answer.text).to.equal(204);
      expect(answer.text).to.equal('');
      expectProblem(await me.get('/api/users/me'), 401, 'auth.token_invalid');
      const refreshed = await app.anyone.post('/api/auth/refresh', { refresh_token: me.user.refreshToken });
      expectProblem(refreshed, 401, 'auth.refresh_invalid');
      expectProblem(await login(me.user.password), 401, 'auth.invalid_credentials');
      const again = await login(NEW_PASSWORD);
      expect(again.status).to.equal(200);
      await hasEvent('auth.password_reset', again.body.data.access_token);
    });

    it('is answered in the same way as who has no account, after the same work', async () => {
      const disabled = await app.signIn();
      await query('update users set disabled_at = now() where id = $1', disabled.user.id);
      const answers = [
        await forgot(me.user.email),
        await forgot(freshCredentials().email),
        await forgot(disabled.user.email),
      ];
      const lines = await Promise.all(answers.map((answer) => app.lineOf(answer, 'app.http.access')));
      for (const [index, answer] of answers.entries()) {
        expect(answer.status).to.equal(202);
        expect({ ...answer.body, meta: undefined }).to.deep.equal({ data: { expires_in: 1800 }, meta: undefined });
        expect([...answer.headers.keys()]).to.deep.equal([...(answers[0]?.headers.keys() ?? [])]);
        expect(lines[index]?.extra).to.include({ postgres_statements: 1, mongo_commands: 0 });
      }
      expect((await forgot('no address')).body.data).to.deep.equal({ expires_in: 1800 });
      // Whoever asks later is mailed later: once that came, the others would have come.
      await eventually(async () => (await query('select from account_mails')).length === 0);
      expect(app.mailsTo(disabled.user.email).filter((mail) => mail.includes('password'))).to.deep.equal([]);
      expect(tokensIn(app.mailsTo(me.user.email), LINK)).to.have.lengthOf(1);
    });

    it('uses a token once, also when it is used twenty times at once', async () => {
      const token = await tokenFor('reset_password');
      const passwords = Array.from({ length: 20 }, (_, n) => `${NEW_PASSWORD} ${n}`);
      const answers = await Promise.all(passwords.map((password) => reset(token, password)));
      const good = answers.flatMap(({ status }, n) => (status === 204 ? [passwords[n] ?? ''] : []));
      expect(good).to.have.lengthOf(1);
      for (const answer of answers.filter(({ status }) => status !== 204)) {
        expectProblem(answer, 400, 'auth.mailed_token_invalid');
      }
      expect((await login(good[0] ?? '')).status).to.equal(200);
      expectProblem(await reset(token), 400, 'auth.mailed_token_invalid');
    });

    it('keeps the token when the new password is not good enough', async () => {
      const token = await tokenFor('reset_password');
      for (const [password, rule] of [
        ['short', 'minLength'],
        ['kxqzwvjh'.repeat(17), 'maxLength'],
        ['password1234567', 'commonPassword'],
        [`${me.user.email.split('.')[0]} is my name`, 'ownAddress'],
      ]) {
        const answer = await reset(token, password);
        expectProblem(answer, 422, 'validation.failed');
        expect(answer.body.errors[0]).to.include({ field: '/body/new_password', rule });
      }
      expect((await reset(token)).status).to.equal(204);
    });

    for (const [what, spoil] of [
      ['half an hour has passed', `update account_tokens set expires_at = now() where user_id = $1`],
      ['the account is disabled', 'update users set disabled_at = now() where id = $1'],
      ['the account is gone', 'delete from users where id = $1'],
      ['the account has another address', `update users set email = 'x' || email where id = $1`],
    ] as const) {
      it(`cannot use a token any more once ${what}`, async () => {
        const token = await tokenFor('reset_password');
        await query(spoil, me.user.id);
        expectProblem(await reset(token), 400, 'auth.mailed_token_invalid');
      });
    }

    it('has half an hour', async () => {
      await tokenFor('reset_password');
      const [row] = await query<{ seconds: number }>(
        'select extract(epoch from expires_at - now())::float8 as seconds from account_tokens where user_id = $1',
        me.user.id,
      );
      expect(row?.seconds).to.be.within(1500, 1800);
    });

    it('can use the latest token alone', async () => {
      const first = await tokenFor('reset_password');
      const second = await tokenFor('reset_password');
      expectProblem(await reset(first), 400, 'auth.mailed_token_invalid');
      expect((await reset(second)).status).to.equal(204);
    });

    it('cannot use a token that was mailed before the password was changed', async () => {
      const token = await tokenFor('reset_password');
      const { password } = me.user;
      const changed = await me.post('/api/users/me/password', {
        current_password: password,
        new_password: NEW_PASSWORD,
      });
      expect(changed.status).to.equal(204);
      expectProblem(await reset(token, 'a third horse battery'), 400, 'auth.mailed_token_invalid');
    });

    it('cannot use what verifies an address, an access token, or anything else', async () => {
      const mailed = await tokenFor('verify_email');
      for (const token of [mailed, me.user.accessToken.slice(0, 512), 'x', "' or 1=1 --", '\0', '{"$ne":null}']) {
        expectProblem(await reset(token), 400, 'auth.mailed_token_invalid');
      }
      for (const token of [{ $ne: null }, { $gt: '' }, ['x'], null, 1, true, '', 'x'.repeat(513)]) {
        expectProblem(await reset(token), 422, 'validation.failed');
        expectProblem(await verify(token), 422, 'validation.failed');
      }
      expect((await login(me.user.password)).status).to.equal(200);
    });

    it('is refused what is no text for an address or a password', async () => {
      const token = await tokenFor('reset_password');
      for (const value of [{ $ne: null }, { $gt: '' }, ['x'], null, 1, true, 'x'.repeat(1025)]) {
        expectProblem(await forgot(value), 422, 'validation.failed');
        expectProblem(await reset(token, value), 422, 'validation.failed');
      }
      const extra = { email: me.user.email, roles: ['admin'] };
      expectProblem(await app.anyone.post('/api/auth/password/forgot', extra), 422, 'validation.failed');
    });
  });

  describe('verifies the address', () => {
    it('by what is mailed after registering', async () => {
      const [token = ''] = await eventually(() => {
        const found = tokensIn(app.mailsTo(me.user.email));
        return found.length > 0 && found;
      });
      expect(await isVerified()).to.equal(false);
      expect((await verify(token)).status).to.equal(204);
      expect(await isVerified()).to.equal(true);
      expectProblem(await verify(token), 400, 'auth.mailed_token_invalid');
      await hasEvent('auth.verified', me.user.accessToken);
      expect((await me.get('/api/users/me')).body.data).to.have.all.keys('id', 'email', 'roles', 'created_at');
    });

    it('once, also with twenty requests at once', async () => {
      const token = await tokenFor('verify_email');
      const answers = await Promise.all(Array.from({ length: 20 }, () => verify(token)));
      expect(answers.filter(({ status }) => status === 204)).to.have.lengthOf(1);
    });

    it('again after it was changed, and the token for the old one does not do', async () => {
      await query('update users set verified_at = now() where id = $1', me.user.id);
      const old = await tokenFor('verify_email');
      const { email } = freshCredentials();
      const changed = await me.patch('/api/users/me', { email, current_password: me.user.password });
      expect(changed.status).to.equal(200);
      expect(await isVerified()).to.equal(false);
      expectProblem(await verify(old), 400, 'auth.mailed_token_invalid');
      const [token = ''] = await eventually(() => {
        const found = tokensIn(app.mailsTo(email));
        return found.length > 0 && found;
      });
      expect((await verify(token)).status).to.equal(204);
      expect(await isVerified()).to.equal(true);
    });

    it('by another mail, which comes when the same address is given again', async () => {
      const mails = await eventually(() => app.mailsTo(me.user.email).length > 0 && app.mailsTo(me.user.email));
      const { email, password } = me.user;
      expect((await me.patch('/api/users/me', { email, current_password: password })).status).to.equal(200);
      const tokens = await eventually(() => {
        const found = tokensIn(app.mailsTo(email));
        return found.length > mails.length && found;
      });
      expectProblem(await verify(tokens[0]), 400, 'auth.mailed_token_invalid');
      expect((await verify(tokens[1])).status).to.equal(204);
    });

    it('not by what resets a password, nor when the account is disabled', async () => {
      expectProblem(await verify(await tokenFor('reset_password')), 400, 'auth.mailed_token_invalid');
      const token = await tokenFor('verify_email');
      await query('update users set disabled_at = now() where id = $1', me.user.id);
      expectProblem(await verify(token), 400, 'auth.mailed_token_invalid');
    });
  });

  it('is the only one who has a token: it is kept nowhere else', async () => {
    const answer: Answer = await forgot(me.user.email);
    const [token = ''] = await eventually(() => {
      const found = tokensIn(app.mailsTo(me.user.email), LINK);
      return found.length > 0 && found;
    });
    const rows = [...(await query('select * from account_tokens')), ...(await query('select * from account_mails'))];
    expect(JSON.stringify(rows)).to.include(tokenHash(token));
    expect(JSON.stringify(rows)).to.not.include(token);
    expectProblem(await reset(token, 'short'), 422, 'validation.failed');
    expect((await reset(token)).status).to.equal(204);
    expect(JSON.stringify(await app.spanOf(answer))).to.not.include(token);
    const line = await eventually(() => app.lines().find(({ extra }) => extra?.['file'] !== undefined));
    expect(line.extra).to.have.all.keys('subject', 'file');
    expect(JSON.stringify(app.lines())).to.not.include(token);
  });
});
