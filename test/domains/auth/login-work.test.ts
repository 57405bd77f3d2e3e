import { randomUUID } from 'node:crypto';
import argon2 from 'argon2';
import { expect } from 'chai';
import { rememberValidated } from '../../../src/core/http/dto.ts';
import { SessionDeviceInfo } from '../../../src/core/index.ts';
import { type Argon2, PasswordSecurity } from '../../../src/core/security/passwords.ts';
import type { Database } from '../../../src/db/postgres/database.ts';
import { migrate } from '../../../src/db/postgres/migrations.ts';
import { createActivityRecorder } from '../../../src/domains/activity/index.ts';
import { createSessionStore } from '../../../src/domains/auth/index.ts';
import { Credentials } from '../../../src/domains/auth/schemas.ts';
import { type AuthServiceOptions, createAuthService } from '../../../src/domains/auth/service.ts';
import { MIGRATION_FOLDERS } from '../../../src/domains/compose.ts';
import { createUserStore } from '../../../src/domains/users/index.ts';
import { openDatabase, poolOptions } from '../../support/database.ts';
import { createDatabases } from '../../support/stores.ts';

const CHEAP = { passwordMinLength: 15, argon2MemoryKib: 7168, argon2TimeCost: 1, argon2Concurrency: 1 };
const PASSWORD = 'correct horse battery';

describe('the work of signing in', () => {
  let database: Database;
  let drop: () => Promise<void>;
  before(async () => {
    const databases = await createDatabases();
    drop = databases.drop;
    await migrate({ ...poolOptions(databases.databaseUrl), folders: MIGRATION_FOLDERS });
    database = openDatabase(databases.databaseUrl);
  });
  after(async () => {
    await database.close();
    await drop();
  });

  it('is one Argon2 verification, for a right password, a wrong one, and an address without an account', async () => {
    const ran: string[] = [];
    const counted = {
      hash: (...args: [string]) => {
        ran.push('hash');
        return argon2.hash(...args);
      },
      verify: (...args: [string, string]) => {
        ran.push('verify');
        return argon2.verify(...args);
      },
    } as Argon2;
    const passwords = new PasswordSecurity(CHEAP, counted);
    await passwords.warmUp();
    const users = createUserStore(database);
    const passwordHash = await passwords.generatePasswordHash(PASSWORD);
    const [email, disabled] = ['ada@example.org', 'eve@example.org'];
    const activity = createActivityRecorder({ note: () => undefined });
    const registered = (userId: string) => activity.eventOf({ type: 'auth.registered', userId, device: null });
    const account = { roles: ['user'], createdAt: new Date(), passwordHash };
    const [id, disabledId] = [randomUUID(), randomUUID()];
    await users.insertUser({ ...account, id, email }, registered(id));
    await users.insertUser({ ...account, id: disabledId, email: disabled }, registered(disabledId));
    await users.setDisabled(disabledId, true);
    const service = createAuthService({
      users,
      sessions: createSessionStore(database),
      passwords,
      activity,
      tokens: {
        createAccessToken: async () => 'access',
        createRefreshToken: async () => 'refresh',
      } as unknown as AuthServiceOptions['tokens'],
      accountMails: { requestVerification: async () => undefined, revokeReset: async () => undefined },
      database,
      accessTokenTtlSeconds: 900,
      sessionTtlSeconds: 900,
      revealsTaken: true,
    });
    const device = new SessionDeviceInfo(
      { user_agent: undefined, device_type: undefined, os: undefined, browser: undefined, app_version: undefined },
      '192.0.2.1',
    );
    const login = async (credentials: Credentials) => {
      ran.length = 0;
      rememberValidated(credentials, Credentials);
      const outcome = await service.login(device, credentials).then(
        () => 'in',
        (error: { code: string }) => error.code,
      );
      return [outcome, ...ran];
    };
    const wrong = 'wrong horse battery';
    const refused = ['auth.invalid_credentials', 'verify'];
    expect(await login({ email, password: PASSWORD })).to.deep.equal(['in', 'verify']);
    expect(await login({ email, password: wrong })).to.deep.equal(refused);
    expect(await login({ email: 'nobody@example.org', password: wrong })).to.deep.equal(refused);
    expect(await login({ email: 'no address', password: wrong })).to.deep.equal(refused);
    expect(await login({ email: disabled, password: PASSWORD })).to.deep.equal(refused);
  });
});
