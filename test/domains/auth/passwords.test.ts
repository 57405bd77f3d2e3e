import argon2 from 'argon2';
import { expect } from 'chai';
import { freshCredentials, signIn } from '../../support/client.ts';
import { eventually } from '../../support/eventually.ts';
import { expectProblem } from '../../support/problem.ts';
import { startTestApp, type TestApp } from '../../support/test-app.ts';

const OLD = { type: argon2.argon2id, memoryCost: 7168, timeCost: 1, parallelism: 1 } as const;

describe('signing in', () => {
  let app: TestApp;
  before(async () => {
    app = await startTestApp({ ARGON2_TIME_COST: '2' });
  });
  after(() => app.stop());

  const login = (credentials: { email: unknown; password: unknown }) =>
    app.anyone.post('/api/auth/login', { email: credentials.email, password: credentials.password });
  const hashOf = async (email: string): Promise<string> => {
    const [row] = await app.database.query<{ hash: string }>(
      { text: 'select password_hash as hash from users where email = $1' },
      [email],
    );
    return row?.hash ?? '';
  };

  it('brings the hash of the password to the parameters of today', async () => {
    const user = await signIn(app.url);
    const old = await argon2.hash(user.password, OLD);
    expect(old).to.match(/t=1/);
    await app.database.query({ text: 'update users set password_hash = $2 where id = $1' }, [user.id, old]);
    expectProblem(await login({ ...user, password: 'correct horse batter' }), 401, 'auth.invalid_credentials');
    expect(await hashOf(user.email), 'not by a wrong password').to.equal(old);
    expect((await login(user)).status).to.equal(200);
    const current = await hashOf(user.email);
    expect(current).to.match(/t=2/);
    expect((await login(user)).status, 'the password is the same').to.equal(200);
    expect(await hashOf(user.email), 'once is enough').to.equal(current);
  });

  it('is refused in the same words for a wrong password, an unknown address and a disabled account', async () => {
    const [user, disabled] = [await signIn(app.url), await signIn(app.url)];
    await app.database.query({ text: 'update users set disabled_at = now() where id = $1' }, [disabled.id]);
    const answers = [
      await login({ ...user, password: 'wrong horse battery' }),
      await login(freshCredentials()),
      await login({ email: 'no address', password: 'correct horse battery' }),
      await login(disabled),
    ];
    for (const answer of answers) {
      expectProblem(answer, 401, 'auth.invalid_credentials');
      expect({ ...answer.body, meta: undefined }).to.deep.equal({ ...answers[0]?.body, meta: undefined });
      expect([...answer.headers.keys()]).to.deep.equal([...(answers[0]?.headers.keys() ?? [])]);
    }
  });

  it('takes any text of up to 1,024 bytes for a password', async () => {
    const user = await signIn(app.url);
    for (const password of ['', ' ', '\0', '\ud800', "' or ''='", 'x'.repeat(1024), '\u{1f511}'.repeat(256)]) {
      expectProblem(await login({ ...user, password }), 401, 'auth.invalid_credentials');
    }
    for (const password of ['x'.repeat(1025), '\u{1f511}'.repeat(257)]) {
      expectProblem(await login({ ...user, password }), 422, 'validation.failed');
    }
  });

  it('is not possible with operators of a database in place of texts', async () => {
    const user = await signIn(app.url);
    for (const value of [{ $ne: null }, { $gt: '' }, [user.email], { $regex: '.*' }, true, 1, null]) {
      expectProblem(await login({ ...user, email: value }), 422, 'validation.failed');
      expectProblem(await login({ ...user, password: value }), 422, 'validation.failed');
    }
    for (const email of ["' or 1=1 --", `${user.email}' --`, '{"$ne":null}', '$where']) {
      expectProblem(await login({ ...user, email }), 401, 'auth.invalid_credentials');
    }
  });

  it('finds the account by any way of writing the same address', async () => {
    const { email, password } = await signIn(app.url);
    expect((await login({ email: email.toUpperCase(), password })).status).to.equal(200);
    expect((await login({ email: ` ${email}`, password })).status, 'nothing is trimmed').to.equal(401);
  });

  it('begins no session when the password is changed meanwhile', async () => {
    const user = await signIn(app.url);
    const count = async () => {
      const rows = await app.database.query({ text: 'select 1 from sessions where user_id = $1' }, [user.id]);
      return rows.length;
    };
    const before = await count();
    const other = await argon2.hash('another horse battery', OLD);
    let answer: Promise<Awaited<ReturnType<typeof login>>> | undefined;
    await app.database.transaction(async (tx) => {
      await tx.query({ text: 'update users set password_hash = $2 where id = $1' }, [user.id, other]);
      answer = login(user);
      // The old password was right, and the session waits for what becomes of it.
      await eventually(async () => {
        const waiting = await app.database.query({
          text: `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like 'insert into sessions%'
            and datname = current_database()`,
        });
        return waiting.length > 0;
      });
    });
    expectProblem((await answer) as Awaited<ReturnType<typeof login>>, 401, 'auth.invalid_credentials');
    expect(await count()).to.equal(before);
  });
});

describe('registering', () => {
  let app: TestApp;
  before(async () => {
    app = await startTestApp({ REGISTER_REVEALS_TAKEN: 'false' });
  });
  after(() => app.stop());

  const register = (body: unknown) => app.anyone.post('/api/auth/register', body);

  it('does not tell that an address is taken where REGISTER_REVEALS_TAKEN is false', async () => {
    const { email, password, id } = await signIn(app.url);
    const [taken, free] = [
      await register({ email, password: 'another horse battery' }),
      await register(freshCredentials()),
    ];
    expect([taken.status, free.status]).to.deep.equal([201, 201]);
    expect(Object.keys(taken.body.data)).to.deep.equal(Object.keys(free.body.data));
    expect(taken.body.data).to.include({ email }).and.not.include({ id });
    const login = await app.anyone.post('/api/auth/login', { email, password: 'another horse battery' });
    expectProblem(login, 401, 'auth.invalid_credentials');
    expect((await app.anyone.post('/api/auth/login', { email, password })).status, 'and changes nothing').to.equal(200);
  });

  it('refuses common passwords and those made of the address', async () => {
    for (const [password, rule] of [
      ['password1234567', 'commonPassword'],
      ['qwertyqwertyqwerty', 'commonPassword'],
      ['lovelace writes code', 'ownAddress'],
    ]) {
      const answer = await register({ email: 'ada.lovelace@example.org', password });
      expectProblem(answer, 422, 'validation.failed');
      expect(answer.body.errors).to.have.lengthOf(1);
      expect(answer.body.errors[0]).to.include({ field: '/body/password', rule });
    }
  });

  it('lets nobody choose roles, id or whatever else an account has', async () => {
    for (const extra of [
      { roles: ['admin'] },
      { id: '7b84c50e-aabd-45ee-9682-ba0c64f005a7' },
      { disabled: false },
      { created_at: '2020-01-01T00:00:00Z' },
      { password_hash: 'x' },
    ]) {
      const answer = await register({ ...freshCredentials(), ...extra });
      expectProblem(answer, 422, 'validation.failed');
      expect(answer.body.errors[0]).to.include({ rule: 'additionalProperties' });
    }
  });
});
