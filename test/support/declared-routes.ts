import type { MetricReader } from '@opentelemetry/sdk-metrics';
import { publicRouters } from '../../src/application.ts';
import type { Settings } from '../../src/core/config/index.ts';
import type { Routers } from '../../src/core/http/router.ts';
import { Cursors, JwtService, PasswordSecurity } from '../../src/core/index.ts';
import { createMailerOn } from '../../src/core/mail/mailer.ts';
import { SamplingBoosts } from '../../src/core/telemetry/sampling-boosts.ts';
import { createMongo } from '../../src/db/mongo/client.ts';
import { createDatabase } from '../../src/db/postgres/database.ts';
import { createDomains } from '../../src/domains/compose.ts';
import { HealthMonitor } from '../../src/operations/health-monitor.ts';
import { createSwitches } from '../../src/switches.ts';

const NOWHERE = '127.0.0.1:1';
const service = { name: '', version: '', environment: '', instance: '' };

/** The routes of a service with these settings, to read what they declare. Their stores are never connected to. */
export function declaredRouters(settings: Settings): Routers {
  const key = 'only declarations are read here';
  const tokens = new JwtService({ ...settings, accessKey: key, refreshKey: `${key} too` });
  const database = createDatabase({ ...settings, connectionString: `postgres://${NOWHERE}/none` });
  const domains = createDomains({
    settings,
    database,
    mongo: createMongo(`mongodb://${NOWHERE}`, 'none', 'none', []),
    passwords: new PasswordSecurity(settings),
    tokens,
    mailer: createMailerOn(undefined),
    cursors: new Cursors(key),
  });
  const health = new HealthMonitor([]);
  const switches = createSwitches(settings, database, { service, boosts: new SamplingBoosts() });
  const nothing = { metricReader: {} as MetricReader, ledger: () => ({}) };
  return publicRouters({ settings, domains, tokens, health, switches, ...nothing });
}
