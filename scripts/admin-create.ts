import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { loadSettings, type Settings } from '../src/core/config/index.ts';
import { ValidationError } from '../src/core/errors/app-http-error.ts';
import { failToStart, StartupError } from '../src/core/errors/startup-error.ts';
import { PasswordSecurity } from '../src/core/security/passwords.ts';
import { createDatabase } from '../src/db/postgres/database.ts';
import { migrate } from '../src/db/postgres/migrations.ts';
import { withSslMode } from '../src/db/postgres/pool.ts';
import { waitForPostgres } from '../src/db/postgres/reachable.ts';
import { MIGRATION_FOLDERS } from '../src/domains/compose.ts';
import { DOMAIN_SETTINGS } from '../src/domains/settings.ts';
import { makeAdmin } from '../src/domains/users/index.ts';

const SAID = {
  created: 'There is a new administrator',
  granted: 'The account is an administrator from now on',
  already: 'The account is an administrator already',
};

type Found = { connectionString: string; setting: string; stop(): Promise<void> };

/** `npm run admin:create -- <address>`: makes an administrator, in the configured PostgreSQL or the embedded one. */
try {
  const [email, ...rest] = process.argv.slice(2);
  if (email === undefined || rest.length > 0) {
    throw new StartupError('Name one e-mail address: npm run admin:create -- ada@example.org');
  }
  const settings = loadSettings(DOMAIN_SETTINGS);
  const { connectionString, setting, stop } = await findPostgres(settings);
  try {
    const wanted = { ...settings, connectionString };
    const postgres = withSslMode(wanted, await waitForPostgres(wanted, setting, 10_000));
    await migrate({ ...postgres, folders: MIGRATION_FOLDERS });
    const database = createDatabase(postgres);
    try {
      const outcome = await makeAdmin({ database, passwords: new PasswordSecurity(settings), email, askPassword });
      process.stdout.write(`${SAID[outcome]}\n`);
    } finally {
      await database.close();
    }
  } finally {
    await stop();
  }
} catch (error) {
  failToStart(error instanceof ValidationError ? new StartupError(inWords(error)) : error);
}

/** As set, else embedded: the one of a service that runs on the same data folder, or started for this moment. */
async function findPostgres({ databaseUrl, databaseName, mongoDatabaseName, dataDir }: Settings): Promise<Found> {
  const stop = async () => undefined;
  if (databaseUrl !== undefined) return { connectionString: databaseUrl, setting: 'DATABASE_URL', stop };
  const { startEmbeddedStores } = await import('../src/db/embedded/index.ts');
  try {
    const stores = await startEmbeddedStores({
      dataDir,
      postgres: { databases: [databaseName] },
      mongo: false,
      mongoDb: mongoDatabaseName,
      onStep: () => undefined,
    });
    return { connectionString: stores.databaseUrl?.(databaseName) ?? '', setting: 'DATA_DIR', stop: stores.stop };
  } catch (error) {
    const { runningPostgresUrl } = await import('../src/db/embedded/running-postgres.ts');
    const running = await runningPostgresUrl(dataDir, databaseName);
    if (running === undefined) throw error;
    return { connectionString: running, setting: 'DATA_DIR', stop };
  }
}

/** From the terminal, unseen, or the first line of what is piped in: an argument would stand in the list of processes. */
async function askPassword(): Promise<string> {
  const isTerminal = process.stdin.isTTY === true;
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  if (isTerminal) process.stderr.write('Password: ');
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: isTerminal });
  try {
    for await (const line of lines) return line;
    throw new StartupError('There is no such account, so it needs a password: type it, or pipe it in');
  } finally {
    lines.close();
    if (isTerminal) process.stderr.write('\n');
  }
}

function inWords({ errors }: ValidationError): string {
  const problems = errors as readonly { field: string; message: string }[];
  return problems.map(({ field, message }) => `The ${field} ${message}`).join('\n');
}
