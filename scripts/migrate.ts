import { loadSettings } from '../src/core/config/index.ts';
import { failToStart, StartupError } from '../src/core/errors/startup-error.ts';
import { migrate } from '../src/db/postgres/migrations.ts';
import { withSslMode } from '../src/db/postgres/pool.ts';
import { waitForPostgres } from '../src/db/postgres/reachable.ts';
import { MIGRATION_FOLDERS } from '../src/domains/compose.ts';
import { DOMAIN_SETTINGS } from '../src/domains/settings.ts';

/** `npm run migrate`: brings the schema of the configured PostgreSQL up to date, as a start would. */
try {
  const settings = loadSettings(DOMAIN_SETTINGS);
  const connectionString = settings.databaseUrl;
  if (connectionString === undefined) {
    throw new StartupError('DATABASE_URL is missing: an embedded PostgreSQL is brought up to date by npm start');
  }
  const wanted = { ...settings, connectionString };
  const postgres = withSslMode(wanted, await waitForPostgres(wanted, 'DATABASE_URL', 10_000));
  const applied = await migrate({ ...postgres, folders: MIGRATION_FOLDERS });
  process.stdout.write(
    applied.length === 0 ? 'The schema is up to date\n' : `${applied.map((name) => `Applied ${name}`).join('\n')}\n`,
  );
} catch (error) {
  failToStart(error);
}
