import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { format, inspect } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import packageJson from '../../../package.json' with { type: 'json' };
import {
  getSettings,
  readSettings,
  resetSettings,
  type Settings,
  SettingsError,
} from '../../../src/core/config/index.ts';
import { DEFINITIONS } from '../../../src/core/config/settings-table.ts';
import { readEnvFile } from '../../../src/core/config/sources.ts';

const KEY = 'mF8jw0Qp1vYb7TzKx3Lr9Nc5Hs2Gd6Ue4Wa';
const OTHER_KEY = 'Zt5Yk8Bn2Xc9Vm4Qw7Er1Ty6Ui3Op0As';

/** What production asks for at least. */
const PRODUCTION = {
  ENVIRONMENT: 'production',
  DATABASE_URL: 'postgres://okapi:pw@db:5432/okapi',
  MONGO_URL: 'mongodb://mongo:27017',
  ACCESS_TOKEN_SIGNING_KEY: KEY,
  REFRESH_TOKEN_SIGNING_KEY: OTHER_KEY,
  CORS_ALLOW_ORIGINS: 'https://app.example.org',
  TRUST_PROXY: 'none',
};

function problemsOf(env: Record<string, string>, envFile: Record<string, string> = {}): readonly string[] {
  try {
    readSettings(env, envFile);
    return [];
  } catch (error) {
    expect(error).to.be.instanceOf(SettingsError);
    return (error as SettingsError).problems;
  }
}

describe('settings', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'okapi-settings-'));
  });
  after(() => rmSync(folder, { recursive: true }));
  const file = (content: string) => {
    const path = join(folder, `secret-${Math.random()}`);
    writeFileSync(path, content);
    return path;
  };

  it('are complete with nothing said, as development wants them', () => {
    expect(readSettings({})).to.deep.include({
      projectName: 'Okapi',
      projectVersion: packageJson.version,
      environment: 'development',
      host: '127.0.0.1',
      port: 3000,
      trustProxy: [],
      bodyLimit: 1_048_576,
      requestTimeoutMs: 30_000,
      maxInFlight: 1000,
      maxEventLoopDelayMs: 200,
      keepAliveTimeoutMs: 65_000,
      shutdownDelayMs: 0,
      shutdownGraceMs: 10_000,
      dataDir: '.data',
      corsAllowOrigins: ['*'],
      corsAllowCredentials: true,
      corsAllowMethods: ['*'],
      corsAllowHeaders: ['*'],
      databaseUrl: undefined,
      postgresUser: 'postgres',
      postgresPort: 5432,
      databaseName: 'okapi',
      postgresPoolSize: 10,
      postgresPoolOverflow: 10,
      migrateOnStart: true,
      jwtAlgorithm: 'HS256',
      accessTokenTtlSeconds: 900,
      refreshTokenTtlSeconds: 60 * 86_400,
      sessionTtlSeconds: 180 * 86_400,
      redisUrl: undefined,
      rateLimitEnabled: true,
      rateLimitLoginAccount: 5,
      rateLimitLoginAddress: 30,
      rateLimitRegister: 10,
      rateLimitGeneral: 1200,
      passwordMinLength: 15,
      argon2MemoryKib: 19_456,
      argon2TimeCost: 2,
      argon2Concurrency: Math.max(1, Math.min(availableParallelism(), 2)),
      logLevel: 'DEBUG',
      logDir: 'logs',
      logFiles: true,
      accessLog: true,
      metricsToken: undefined,
      metricsPort: undefined,
      traceContext: 'always',
      traceUserId: true,
      operationsSwitches: false,
    });
  });

  it('differ in production where a developer wants something else', () => {
    expect(readSettings(PRODUCTION)).to.deep.include({
      host: '0.0.0.0',
      shutdownDelayMs: 5000,
      logLevel: 'INFO',
      traceContext: 'trusted',
    });
    expect(readSettings({ ...PRODUCTION, ENVIRONMENT: 'staging' }).logLevel).to.equal('DEBUG');
  });

  for (const definition of DEFINITIONS) {
    it(`take ${definition.env} from the environment over .env, and empty as not given`, () => {
      const given = { [definition.env]: sampleOf(definition.env) };
      const context = contextOf(definition.env);
      const origin = (env: Record<string, string>, envFile: Record<string, string>) =>
        readSettings({ ...context, ...env }, envFile).origins[definition.env];
      expect(origin(given, { [definition.env]: 'nonsense \u0000' })).to.equal('environment');
      expect(origin({}, given)).to.equal('.env');
      expect(origin({ [definition.env]: '' }, {})).to.equal('default');
    });
  }

  it('cannot be changed once read', () => {
    const settings = readSettings({}) as { port: number };
    expect(() => {
      settings.port = 1;
    }).to.throw(TypeError);
  });

  describe('that are wrong', () => {
    for (const [name, values, allowed] of [
      ['PORT', ['-1', '65536', 'http', '3000.5', '0x10', ' ', '1e3'], 'a whole number from 0 to 65535'],
      ['ENVIRONMENT', ['prod', 'Production'], 'one of development, test, staging, production'],
      [
        'BODY_LIMIT',
        ['0', '-1', '1gb', '65mb', '1.5mb', 'lots', '1 mb'],
        'a size from 1b to 64mb, such as 512kb or 1mb',
      ],
      ['CORS_ALLOW_CREDENTIALS', ['maybe', '2'], 'true or false'],
      ['CORS_ALLOW_ORIGINS', ['app.example.org', 'https://a.org/', 'https://a.org,', 'null'], '* or a list of origins'],
      ['CORS_ALLOW_METHODS', ['GET POST', 'GET,'], '* or a list of methods'],
      ['DATABASE_URL', ['localhost', 'mysql://a/b', 'postgres://a b'], 'a URL such as postgres://'],
      ['MONGO_URL', ['localhost:27017', 'http://a'], 'a URL such as mongodb://'],
      ['REDIS_URL', ['localhost:6379', 'http://a', 'redis:///0', 'redis://h/zero'], 'a URL such as redis://'],
      ['RATE_LIMIT_GENERAL', ['-1', '1.5', 'many'], 'a whole number from 0 to 1000000000'],
      ['RATE_LIMIT_ENABLED', ['perhaps'], 'true or false'],
      ['POSTGRES_HOST', ['a b', 'a/b', 'u:p@host'], 'a host name or an IP address'],
      ['MONGO_DB', ['a/b', 'a.b', 'a b'], 'a name without'],
      ['METRICS_TOKEN', ['short', 'with a space in it, long'], '16 to 512 characters'],
      ['METRICS_PORT', ['0', '70000'], 'a whole number from 1 to 65535'],
      ['PROJECT_NAME', ['1st', 'a/b', 'x'.repeat(64)], 'a letter, then letters'],
      ['PASSWORD_MIN_LENGTH', ['7', '129'], 'a whole number from 8 to 128'],
      ['ARGON2_MEMORY_KIB', ['1024'], 'a whole number from 7168'],
      ['TRACE_CONTEXT', ['sometimes'], 'one of always, trusted, never'],
      ['LOG_LEVEL', ['info', 'TRACE'], 'one of DEBUG, INFO, WARNING, ERROR'],
      ['JWT_ALGORITHM', ['none', 'HS512'], 'one of '],
    ] as const) {
      it(`are refused by name, with what is allowed: ${name}`, () => {
        for (const value of values) {
          const [problem, ...others] = problemsOf({ [name]: value });
          expect(problem, value)
            .to.match(new RegExp(`^${name} must be `))
            .and.contain(allowed);
          expect(others, value).to.deep.equal([]);
        }
      });
    }

    it('are all reported at once, one line each', () => {
      const problems = problemsOf({
        PORT: 'x',
        LOG_LEVEL: 'LOUD',
        TRUST_PROXY: '1,10.0.0.0/8',
        ACCESS_TOKEN_SIGNING_KEY: 'short',
        POSTGRES_USER: 'me',
        METRICS_PORT: '0',
      });
      expect(problems.map((line) => line.split(/[ ,]/, 1)[0])).to.have.members([
        'PORT',
        'LOG_LEVEL',
        'TRUST_PROXY',
        'ACCESS_TOKEN_SIGNING_KEY',
        'POSTGRES_USER',
        'METRICS_PORT',
      ]);
      for (const problem of problems) expect(problem).to.not.contain('\n');
    });

    it('are refused where two ports are the same', () => {
      expect(problemsOf({ PORT: '4000', METRICS_PORT: '4000' })).to.have.lengthOf(1);
      expect(problemsOf({ PORT: '4000', METRICS_PORT: '4001' })).to.deep.equal([]);
    });
  });

  describe('TRUST_PROXY', () => {
    for (const [value, expected] of [
      ['none', ['none']],
      ['0', ['0']],
      ['2', ['2']],
      ['10.0.0.0/8', ['10.0.0.0/8']],
      ['10.0.0.0/8, ::1/128,192.168.1.1', ['10.0.0.0/8', '::1/128', '192.168.1.1']],
    ] as const) {
      it(`takes ${value}`, () => expect(readSettings({ TRUST_PROXY: value }).trustProxy).to.deep.equal(expected));
    }
    for (const value of [
      '999.1.1.1',
      '10.0.0.0/33',
      '::1/129',
      'abc',
      '10.0.0.0/8,1',
      'none,10.0.0.1',
      '100',
      'loopback',
      '10.0.0.0/8,',
    ]) {
      it(`refuses ${value} with one line`, () => {
        const problems = problemsOf({ TRUST_PROXY: value });
        expect(problems).to.have.lengthOf(1);
        expect(problems[0]).to.match(/^TRUST_PROXY /);
      });
    }
  });

  it('read a size with and without a unit', () => {
    for (const [text, bytes] of [
      ['1', 1],
      ['65536', 65_536],
      ['10b', 10],
      ['512kb', 524_288],
      ['1MB', 1_048_576],
      ['64mb', 67_108_864],
    ] as const) {
      expect(readSettings({ BODY_LIMIT: text }).bodyLimit, text).to.equal(bytes);
    }
  });

  describe('of PostgreSQL', () => {
    const url = 'postgres://me:p%40ss@db.example.org:6543/shop';

    it('come as one URL', () => {
      expect(readSettings({ DATABASE_URL: url })).to.include({
        databaseUrl: url,
        databaseName: 'shop',
        testDatabaseUrl: 'postgres://me:p%40ss@db.example.org:6543/shop_test',
        databaseServerUrl: 'postgres://me:p%40ss@db.example.org:6543/postgres',
      });
    });

    it('come in parts, and any character is fine in a password', () => {
      const password = 'p@ss/w:rd?#%[]';
      const { databaseUrl = '' } = readSettings({
        POSTGRES_HOST: 'db',
        POSTGRES_PASSWORD: password,
        PROJECT_NAME: 'My Shop',
      });
      expect(databaseUrl).to.equal(`postgres://postgres:${encodeURIComponent(password)}@db:5432/my_shop`);
      expect(decodeURIComponent(new URL(databaseUrl).password)).to.equal(password);
      expect(readSettings({ POSTGRES_HOST: '::1' }).databaseUrl).to.equal('postgres://postgres@[::1]:5432/okapi');
    });

    it('name a database after the project where the URL names none', () => {
      expect(readSettings({ DATABASE_URL: 'postgres://db' }).databaseUrl).to.equal('postgres://db/okapi');
    });

    for (const [what, env, expected] of [
      ['a part without a host', { POSTGRES_PORT: '5433' }, /^POSTGRES_PORT given without POSTGRES_HOST/],
      [
        'two parts without a host',
        { POSTGRES_USER: 'a', POSTGRES_DB: 'b' },
        /^POSTGRES_USER, POSTGRES_DB given without/,
      ],
      ['another host than the URL says', { DATABASE_URL: url, POSTGRES_HOST: 'other' }, /^POSTGRES_HOST differs/],
      ['another user', { DATABASE_URL: url, POSTGRES_USER: 'other' }, /^POSTGRES_USER differs/],
      ['another password', { DATABASE_URL: url, POSTGRES_PASSWORD: 'other' }, /^POSTGRES_PASSWORD differs/],
      ['another port', { DATABASE_URL: url, POSTGRES_PORT: '5432' }, /^POSTGRES_PORT differs/],
      ['a way to TLS without a host', { POSTGRES_SSLMODE: 'require' }, /^POSTGRES_SSLMODE given without POSTGRES_HOST/],
      ['a certificate without a host', { POSTGRES_SSL_CA: 'ca.pem' }, /^POSTGRES_SSL_CA given without POSTGRES_HOST/],
      [
        'another way to TLS',
        { DATABASE_URL: `${url}?sslmode=require`, POSTGRES_SSLMODE: 'disable' },
        /^POSTGRES_SSLMODE differs/,
      ],
      ['another database', { DATABASE_URL: url, POSTGRES_DB: 'other' }, /^POSTGRES_DB differs/],
      ['a port that is none', { DATABASE_URL: 'postgres://db:99999/x' }, /^DATABASE_URL must be a URL/],
      ['a name that is badly encoded', { DATABASE_URL: 'postgres://db/%zz' }, /^DATABASE_URL must be a URL/],
      ['a password that is badly encoded', { DATABASE_URL: 'postgres://me:100%@db/x' }, /^DATABASE_URL must be a URL/],
      [
        'an sslmode that would mean no TLS',
        { DATABASE_URL: `${url}?sslmode=required` },
        /^DATABASE_URL has an sslmode/,
      ],
    ] as [string, Record<string, string>, RegExp][]) {
      it(`are refused with ${what}`, () => {
        const problems = problemsOf(env);
        expect(problems).to.have.lengthOf(1);
        expect(problems[0]).to.match(expected);
      });
    }

    it('may repeat in parts what the URL says', () => {
      const env = {
        DATABASE_URL: url,
        POSTGRES_HOST: 'db.example.org',
        POSTGRES_USER: 'me',
        POSTGRES_PASSWORD: 'p@ss',
        POSTGRES_PORT: '6543',
        POSTGRES_DB: 'shop',
        POSTGRES_SSLMODE: 'require',
        POSTGRES_SSL_CA: 'ca.pem',
      };
      expect(problemsOf(env)).to.deep.equal([]);
      expect(problemsOf({ ...env, DATABASE_URL: `${url}?sslmode=require` })).to.deep.equal([]);
      expect(problemsOf({ DATABASE_URL: 'postgres://[::1]/shop', POSTGRES_HOST: '::1' })).to.deep.equal([]);
    });

    it('are not said to be missing where what was given is refused', () => {
      const named = (env: Record<string, string>) => problemsOf(env).map((line) => line.split(/[ ,]/, 1)[0]);
      expect(named({ POSTGRES_HOST: 'a b', POSTGRES_USER: 'me' })).to.deep.equal(['POSTGRES_HOST']);
      expect(named({ DATABASE_URL: 'nonsense', POSTGRES_USER: 'me' })).to.deep.equal(['DATABASE_URL']);
      expect(named({ ...PRODUCTION, DATABASE_URL: '', POSTGRES_HOST: 'a b' })).to.deep.equal(['POSTGRES_HOST']);
    });
  });

  it('derive the identifiers from the name', () => {
    expect(readSettings({ PROJECT_NAME: 'My  Big_Shop' })).to.include({
      projectIdentifier: 'my-big-shop',
      projectClientIdentifier: 'my-big-shop-client',
      databaseName: 'my_big_shop',
      mongoDatabaseName: 'my_big_shop',
    });
  });

  describe('in staging and production', () => {
    it('are taken when everything is said', () => expect(problemsOf(PRODUCTION)).to.deep.equal([]));

    for (const [what, change, name] of [
      ['no access key', { ACCESS_TOKEN_SIGNING_KEY: '' }, 'ACCESS_TOKEN_SIGNING_KEY is missing'],
      ['no refresh key', { REFRESH_TOKEN_SIGNING_KEY: '' }, 'REFRESH_TOKEN_SIGNING_KEY is missing'],
      [
        'a short key',
        { ACCESS_TOKEN_SIGNING_KEY: 'x9'.repeat(15) },
        'ACCESS_TOKEN_SIGNING_KEY is shorter than 32 bytes',
      ],
      [
        'a key of one character',
        { ACCESS_TOKEN_SIGNING_KEY: 'a'.repeat(40) },
        'ACCESS_TOKEN_SIGNING_KEY is a well-known',
      ],
      [
        'a key from a manual',
        { ACCESS_TOKEN_SIGNING_KEY: 'your-256-bit-secret-your-256-bit-secret' },
        'ACCESS_TOKEN_SIGNING_KEY is a well-known',
      ],
      [
        'a key from another manual',
        { ACCESS_TOKEN_SIGNING_KEY: 'a-string-secret-at-least-256-bits-long' },
        'ACCESS_TOKEN_SIGNING_KEY is a well-known',
      ],
      [
        'a key from a tutorial',
        { ACCESS_TOKEN_SIGNING_KEY: '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7' },
        'ACCESS_TOKEN_SIGNING_KEY is a well-known',
      ],
      [
        'a key that repeats itself',
        { ACCESS_TOKEN_SIGNING_KEY: 'mF8jw0Qp1vYb7TzK'.repeat(2) },
        'ACCESS_TOKEN_SIGNING_KEY is a well-known',
      ],
      [
        'a key of few characters',
        { ACCESS_TOKEN_SIGNING_KEY: 'abacbcabccabbacbacbbcabcabacabcbabcc' },
        'ACCESS_TOKEN_SIGNING_KEY is a well-known',
      ],
      [
        'a key to be changed',
        { REFRESH_TOKEN_SIGNING_KEY: 'please_CHANGE_ME_please_change_me_please' },
        'REFRESH_TOKEN_SIGNING_KEY is a well-known',
      ],
      ['one key for both', { REFRESH_TOKEN_SIGNING_KEY: KEY }, 'REFRESH_TOKEN_SIGNING_KEY must differ'],
      [
        'a previous key that is short',
        { ACCESS_TOKEN_SIGNING_KEY_PREVIOUS: 'x9'.repeat(15) },
        'ACCESS_TOKEN_SIGNING_KEY_PREVIOUS is shorter than 32 bytes',
      ],
      [
        'a previous key from a manual',
        { REFRESH_TOKEN_SIGNING_KEY_PREVIOUS: 'your-256-bit-secret-your-256-bit-secret' },
        'REFRESH_TOKEN_SIGNING_KEY_PREVIOUS is a well-known',
      ],
      [
        'a previous key that is the present one',
        { ACCESS_TOKEN_SIGNING_KEY_PREVIOUS: KEY },
        'ACCESS_TOKEN_SIGNING_KEY_PREVIOUS must differ from ACCESS_TOKEN_SIGNING_KEY: ',
      ],
      [
        'a previous key that is one of the other type',
        { REFRESH_TOKEN_SIGNING_KEY_PREVIOUS: KEY },
        'REFRESH_TOKEN_SIGNING_KEY_PREVIOUS must differ from ACCESS_TOKEN_SIGNING_KEY: ',
      ],
      ['an algorithm that signs with files, and none', { JWT_ALGORITHM: 'ES256' }, 'JWT_KEYS_DIR is missing'],
      ['no PostgreSQL', { DATABASE_URL: '' }, 'DATABASE_URL is missing'],
      ['no Mongo', { MONGO_URL: '' }, 'MONGO_URL is missing'],
      ['* with credentials', { CORS_ALLOW_ORIGINS: '*' }, 'CORS_ALLOW_ORIGINS is *'],
      ['* among others', { CORS_ALLOW_ORIGINS: 'https://a.org,*' }, 'CORS_ALLOW_ORIGINS is *'],
      ['nothing said about proxies', { TRUST_PROXY: '' }, 'TRUST_PROXY is missing'],
    ] as [string, Record<string, string>, string][]) {
      for (const ENVIRONMENT of ['staging', 'production']) {
        it(`are refused in ${ENVIRONMENT} with ${what}, and the line says how to mend it`, () => {
          const problems = problemsOf({ ...PRODUCTION, ENVIRONMENT, ...change });
          expect(problems).to.have.lengthOf(1);
          expect(problems[0])
            .to.match(new RegExp(`^${name.replace('*', '\\*')}`))
            .and.match(/: |; /);
        });
      }
    }

    it('need no secrets where key files sign', () => {
      const env = { ...PRODUCTION, ACCESS_TOKEN_SIGNING_KEY: '', REFRESH_TOKEN_SIGNING_KEY: '' };
      expect(problemsOf({ ...env, JWT_ALGORITHM: 'ES256', JWT_KEYS_DIR: '/keys' })).to.deep.equal([]);
    });

    it('are told everything that is missing at once', () => {
      expect(problemsOf({ ENVIRONMENT: 'production' })).to.have.lengthOf(6);
    });

    it('take the keys that chance makes, however they are written', () => {
      for (const encoding of ['base64', 'base64url', 'hex'] as const) {
        for (let tries = 0; tries < 200; tries++) {
          const [access, refresh] = [randomBytes(32).toString(encoding), randomBytes(32).toString(encoding)];
          const env = { ...PRODUCTION, ACCESS_TOKEN_SIGNING_KEY: access, REFRESH_TOKEN_SIGNING_KEY: refresh };
          expect(problemsOf(env), `${access} ${refresh}`).to.deep.equal([]);
        }
      }
    });

    it('may allow every origin when it may not send credentials', () => {
      expect(problemsOf({ ...PRODUCTION, CORS_ALLOW_ORIGINS: '*', CORS_ALLOW_CREDENTIALS: 'false' })).to.deep.equal([]);
    });
  });

  describe('that are secret', () => {
    const secrets = DEFINITIONS.filter(({ secret }) => secret);

    it('are these', () => {
      expect(secrets.map(({ env }) => env)).to.include.members([
        'DATABASE_URL',
        'POSTGRES_PASSWORD',
        'MONGO_URL',
        'ACCESS_TOKEN_SIGNING_KEY',
        'REFRESH_TOKEN_SIGNING_KEY',
        'REDIS_URL',
        'METRICS_TOKEN',
      ]);
    });

    for (const { env, property } of secrets) {
      const context = contextOf(env);

      it(`may stand in a file: ${env}_FILE`, () => {
        const value = sampleOf(env);
        for (const end of ['', '\n', '\r\n']) {
          const settings = readSettings({ ...context, [`${env}_FILE`]: file(value + end) });
          expect(settings[property as keyof Settings]).to.equal(value);
          expect(settings.origins[env]).to.equal('file');
        }
      });

      it(`are refused in two places, in a file that is empty or not there: ${env}`, () => {
        const refused = (extra: Record<string, string>) => {
          const problems = problemsOf({ ...context, ...extra });
          expect(problems).to.have.lengthOf(1);
          return problems[0];
        };
        expect(refused({ [env]: sampleOf(env), [`${env}_FILE`]: file('x') })).to.contain(
          `${env} and ${env}_FILE are both given`,
        );
        expect(refused({ [`${env}_FILE`]: file('') })).to.contain('is empty');
        expect(refused({ [`${env}_FILE`]: file('\n') })).to.contain('is empty');
        expect(refused({ [`${env}_FILE`]: join(folder, 'nothing') })).to.contain('cannot be read (ENOENT)');
        expect(refused({ [`${env}_FILE`]: folder })).to.contain('cannot be read (EISDIR)');
      });
    }

    it('come from the environment although .env names a file', () => {
      const settings = readSettings({ METRICS_TOKEN: 'from-environment' }, { METRICS_TOKEN_FILE: '/nowhere' });
      expect(settings.metricsToken).to.equal('from-environment');
    });

    it('come from a file that the environment names although .env has them', () => {
      const settings = readSettings(
        { METRICS_TOKEN_FILE: file('a-token-of-a-file') },
        { METRICS_TOKEN: 'from-dot-env-file' },
      );
      expect(settings.metricsToken).to.equal('a-token-of-a-file');
      expect(settings.origins['METRICS_TOKEN']).to.equal('file');
    });

    it('may stand in a file that .env names, and not in .env beside it', () => {
      const METRICS_TOKEN_FILE = file('a-token-of-a-file');
      expect(readSettings({}, { METRICS_TOKEN_FILE }).metricsToken).to.equal('a-token-of-a-file');
      expect(problemsOf({}, { METRICS_TOKEN_FILE, METRICS_TOKEN: 'from-dot-env-file' })).to.deep.equal([
        'METRICS_TOKEN and METRICS_TOKEN_FILE are both given: keep one of them',
      ]);
    });

    it('are masked however settings are printed', () => {
      const settings = readSettings({
        ...PRODUCTION,
        METRICS_TOKEN: 'a-token-of-metrics',
        MONGO_URL: 'mongodb://u:mongopw@h',
      });
      const printed = [
        JSON.stringify(settings),
        JSON.stringify({ deep: [settings] }),
        inspect(settings),
        inspect({ deep: { deeper: settings } }, { depth: 5 }),
        String(settings),
        `${settings}`,
        inspect(settings, { showHidden: true }),
        format('%s %o %O %j', settings, settings, settings, settings),
      ].join('\n');
      for (const secret of [KEY, OTHER_KEY, ':pw@', 'a-token-of-metrics', 'mongopw'])
        expect(printed).to.not.contain(secret);
      expect(JSON.parse(JSON.stringify(settings))).to.include({
        accessTokenSigningKey: `•••• (${KEY.length} bytes)`,
        port: 3000,
      });
    });

    it('never stand in what is said of a problem', () => {
      const secret = fc
        .string({
          unit: fc.constantFrom(...'abcXYZ0189@:/%?#[] \t\u00e9\u{1f511}"\\\'`$'),
          minLength: 10,
          maxLength: 60,
        })
        .filter((text) => text.trim().length >= 10);
      const name = fc.constantFrom(...secrets.map(({ env }) => env));
      const prefix = fc.constantFrom('', 'postgres://', 'postgres://u:', 'mongodb://u:');
      fc.assert(
        fc.property(
          name,
          prefix,
          secret,
          fc.constantFrom('development', 'production'),
          (env, scheme, text, ENVIRONMENT) => {
            let output: string;
            try {
              output = inspect(readSettings({ ENVIRONMENT, POSTGRES_USER: 'me', [env]: scheme + text }));
            } catch (error) {
              expect(error).to.be.instanceOf(SettingsError);
              output = inspect(error);
            }
            expect(output).to.not.contain(text);
          },
        ),
        { numRuns: 300 },
      );
    });
  });

  it('come from a .env file as shells read it, and from none when there is none', () => {
    const path = file('# a comment\nPORT=4000\nPROJECT_NAME="My Shop"\nexport LOG_LEVEL=ERROR\n');
    expect(readSettings({}, readEnvFile(path))).to.include({ port: 4000, projectName: 'My Shop', logLevel: 'ERROR' });
    expect(readEnvFile(join(folder, 'no.env'))).to.deep.equal({});
    expect(() => readEnvFile(folder)).to.throw(/EISDIR/);
  });
});

/** What a setting does not go without. */
function contextOf(env: string): Record<string, string> {
  if (/^POSTGRES_(?!HOST)/.test(env)) return { POSTGRES_HOST: 'db' };
  return env === 'SMTP_URL' ? { MAIL_FROM: 'okapi@example.org' } : {};
}

/** A value that the setting takes and that is not its default. */
function sampleOf(env: string): string {
  const schema: Record<string, unknown> = DEFINITIONS.find((definition) => definition.env === env)?.schema ?? {};
  const special: Record<string, string> = {
    DATABASE_URL: 'postgres://me:secret@db:5432/shop',
    MONGO_URL: 'mongodb://me:secret@mongo:27017',
    REDIS_URL: 'redis://me:secret@redis:6379/0',
    SMTP_URL: 'smtps://me:secret@smtp.example.org:465',
    MAIL_FROM: 'okapi@example.org',
    ACCESS_TOKEN_SIGNING_KEY: KEY,
    REFRESH_TOKEN_SIGNING_KEY: OTHER_KEY,
    ACCESS_TOKEN_SIGNING_KEY_PREVIOUS: `${KEY}1`,
    REFRESH_TOKEN_SIGNING_KEY_PREVIOUS: `${KEY}2`,
    METRICS_TOKEN: 'a-token-of-metrics',
    CORS_ALLOW_ORIGINS: 'https://app.example.org',
    CORS_ALLOW_METHODS: 'GET',
    CORS_ALLOW_HEADERS: 'Authorization',
    TRUST_PROXY: '1',
    BODY_LIMIT: '2kb',
    ENVIRONMENT: 'test',
  };
  if (special[env] !== undefined) return special[env];
  if (schema['type'] === 'boolean') return 'false';
  if (schema['type'] === 'integer') return String(Number(schema['minimum']) + 1);
  if (schema['enum'] !== undefined) return String((schema['enum'] as string[]).at(-1));
  return 'sample';
}

describe('a .env that cannot be read', () => {
  it('is one line that names it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'okapi-env-'));
    const before = process.cwd();
    mkdirSync(join(folder, '.env'));
    process.chdir(folder);
    try {
      resetSettings();
      expect(() => getSettings()).to.throw(SettingsError, /^\.env cannot be read \(EISDIR\): make it readable/);
    } finally {
      process.chdir(before);
      resetSettings();
      rmSync(folder, { recursive: true });
    }
  });
});
