import { setTimeout as delay } from 'node:timers/promises';
import { createApplication, createMetricsApplication } from './application.ts';
import { banner } from './banner.ts';
import { updateSystemMetrics } from './core/background/system-metrics.ts';
import { globalBackgroundTasks } from './core/background/tasks.ts';
import { getSettings, type Settings } from './core/config/index.ts';
import { failToStart, StartupError } from './core/errors/startup-error.ts';
import { Cursors } from './core/http/page.ts';
import { assertPortIsFree, type HttpServer, listen } from './core/http/server.ts';
import { createAccessLog, flushOnCrash, getLogger, stopLogger } from './core/logging/index.ts';
import { createMailer } from './core/mail/create-mailer.ts';
import { RateLimiter } from './core/security/limits/rate-limiter.ts';
import { PasswordSecurity } from './core/security/passwords.ts';
import { TokenKeys } from './core/security/token-keys.ts';
import { JwtService } from './core/security/tokens.ts';
import { EventLoopWatch } from './core/telemetry/event-loop-watch.ts';
import { setBuildInfo } from './core/telemetry/metrics/service-metrics.ts';
import { getTelemetry } from './core/telemetry/sdk.ts';
import { findUninstrumented } from './core/telemetry/self-check.ts';
import { instrumentedDrivers } from './db/instrumented.ts';
import { createMongo } from './db/mongo/client.ts';
import { createDatabase } from './db/postgres/database.ts';
import { migrate } from './db/postgres/migrations.ts';
import { withSslMode } from './db/postgres/pool.ts';
import { probePostgres } from './db/postgres/probe.ts';
import { waitForPostgres } from './db/postgres/reachable.ts';
import { COLLECTIONS, createDomains, MIGRATION_FOLDERS } from './domains/compose.ts';
import { CHECK_INTERVAL_MS, HealthMonitor } from './operations/health-monitor.ts';
import { rereadSigningKeys } from './reread-signing-keys.ts';
import { listenForReload, listenForStop } from './signals.ts';
import { readSigningKeys } from './signing-keys.ts';
import { startServiceLogging } from './start-logging.ts';
import { openStores } from './stores.ts';
import { createSwitches } from './switches.ts';
import { Teardown } from './teardown.ts';
import { preferMainThread } from './thread-priority.ts';

const POSTGRES_START_TIMEOUT_MS = 10_000;
const STORES_END_WITHIN_MS = 10_000;
const HTTP_CUT_WITHIN_MS = 1_000;
const CALLED_OFF_WITHIN_MS = 3_000;
const TELEMETRY_FLUSH_MS = 2_000;
const SYSTEM_METRICS_INTERVAL_MS = 5_000;

const teardown = new Teardown();
const logger = getLogger('app.process');
const stop = listenForStop();
const onReload = listenForReload();
for (const kind of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(kind, (error: unknown) => void flushOnCrash(error, kind).then(() => process.exit(1)));
}

try {
  await runUntilStopped(getSettings());
} catch (error) {
  await teardown.run();
  if (!(error instanceof StartupError)) {
    await flushOnCrash(error, 'uncaughtException');
    process.exit(1);
  }
  await stopLogger();
  failToStart(error);
}

/** The life of the process: it starts, serves until it is told to stop, and ends with 0. */
async function runUntilStopped(settings: Settings): Promise<void> {
  const starting = start(settings);
  const health = await Promise.race([starting.catch(unlessStopping), stop.received.then(() => undefined)]);
  if (health === undefined) await calledOff(starting);
  logger.info(`Stopping: ${await stop.received}`);
  if (health !== undefined) {
    health.startDraining();
    await delay(settings.shutdownDelayMs);
  }
  await teardown.run();
  const telemetry = getTelemetry();
  const problem = await telemetry.shutdown(TELEMETRY_FLUSH_MS);
  if (problem !== undefined) logger.warning('Some telemetry was not exported', { problem });
  const accounts = telemetry.closeLedger();
  if (Object.keys(accounts).length > 0) logger.info('Telemetry of this process', accounts);
  logger.info('Stopped');
  await stopLogger();
  process.exit(0);
}

/** A start that was called off fails, which is no failure. */
function unlessStopping(error: unknown): undefined {
  if (!stop.signal.aborted) throw error;
}

/** Waits for a start that was called off to come to its end, or for long enough. */
async function calledOff(starting: Promise<unknown>): Promise<void> {
  await Promise.race([starting.catch(() => undefined), delay(CALLED_OFF_WITHIN_MS)]);
}

/** Settings, stores, application, listener: in this order, and taken down in the opposite one. */
async function start(settings: Settings): Promise<HealthMonitor> {
  const telemetry = getTelemetry();
  await assertPortIsFree({ host: settings.host, port: settings.port, portSetting: 'PORT' });
  if (settings.metricsPort !== undefined) {
    await assertPortIsFree({ host: settings.host, port: settings.metricsPort, portSetting: 'METRICS_PORT' });
  }
  const endLogExport = startServiceLogging(settings, telemetry);
  teardown.add('log export', async () => endLogExport());
  setBuildInfo({ version: settings.projectVersion, commit: settings.projectCommit });

  const { rings, warnings } = readSigningKeys(settings);
  for (const warning of warnings) logger.warning(warning);

  const { signal } = stop;
  const stores = await openStores(settings, (message) => process.stdout.write(`${message}\n`), signal);
  teardown.add('embedded stores', stores.stop, STORES_END_WITHIN_MS);
  const wanted = { ...settings, connectionString: stores.databaseUrl, signal };
  const sslMode = await waitForPostgres(wanted, stores.postgresSetting, POSTGRES_START_TIMEOUT_MS);
  const postgres = withSslMode(wanted, sslMode);
  if (settings.migrateOnStart) await migrate({ ...postgres, folders: MIGRATION_FOLDERS });
  signal.throwIfAborted();

  const database = createDatabase(postgres);
  teardown.add('PostgreSQL pool', () => database.close());
  const mongo = createMongo(stores.mongoUrl, settings.mongoDatabaseName, settings.projectIdentifier, COLLECTIONS);
  teardown.add('Mongo client', () => mongo.close());
  const redis = await connectRedis(settings);
  if (redis !== undefined) teardown.add('Redis client', () => redis.client.close());

  const keys = new TokenKeys(rings);
  onReload(() => rereadSigningKeys(settings, keys));
  const tokens = new JwtService({ ...settings, keys });
  const passwords = new PasswordSecurity(settings);
  void passwords.warmUp();
  const cursors = new Cursors(() => keys.access.deriveSecrets('okapi.cursors', Date.now()));
  const mailer = await createMailer(settings);
  const limiter = new RateLimiter({
    enabled: settings.rateLimitEnabled,
    namesSettings: settings.environment === 'development',
    accountSecret: () => keys.access.deriveSecrets('okapi.rate-limits', Date.now())[0],
    ...(redis && { shared: redis.windows }),
  });
  const domains = createDomains({ settings, database, mongo, passwords, tokens, mailer, cursors });
  teardown.add('domains', () => domains.drain());
  const tasks = globalBackgroundTasks();
  teardown.add('background tasks', () => tasks.stop());

  let areIndexesMade = false;
  const health = new HealthMonitor([
    {
      name: 'postgres',
      required: true,
      check: () => probePostgres(postgres),
    },
    {
      name: 'mongo',
      required: false,
      check: async (timeoutMs) => {
        await mongo.ping(timeoutMs);
        if (!areIndexesMade) await domains.prepareMongo();
        areIndexesMade = true;
      },
    },
    ...(redis === undefined ? [] : [{ name: 'redis', required: false, check: redis.client.ping }]),
  ]);
  redis?.client.onChange(() => void health.check('redis'));
  for (const name of findUninstrumented(instrumentedDrivers())) {
    health.faults.push(`${name} is not instrumented: it was loaded before the telemetry preload`);
    logger.error(`${name} is not instrumented: start with --import ./instrumentation.ts`);
  }
  await Promise.all([health.check('postgres'), health.check('redis')]);

  const pool = () => database.figures();
  tasks.start({ name: 'check_dependencies', intervalMs: CHECK_INTERVAL_MS, run: () => health.checkAll() });
  tasks.start({
    name: 'update_system_metrics',
    intervalMs: SYSTEM_METRICS_INTERVAL_MS,
    run: () => updateSystemMetrics({ pool }),
  });
  for (const task of domains.tasks) tasks.start(task);

  const loop = new EventLoopWatch(settings.maxEventLoopDelayMs);
  teardown.add('event loop watch', async () => loop.stop());
  const writeAccess = createAccessLog();
  const isLoopLate = () => loop.isLate();
  const { metricReader, ledger } = telemetry;
  const switches = createSwitches(settings, database, telemetry);
  const parts = { settings, domains, tokens, health, metricReader, ledger, writeAccess, isLoopLate, limiter, switches };
  const { host, keepAliveTimeoutMs, requestTimeoutMs } = settings;
  const common = { host, keepAliveTimeoutMs, requestTimeoutMs, writeAccess };
  const servers: HttpServer[] = [];
  if (settings.metricsPort !== undefined) {
    const options = { ...common, port: settings.metricsPort, portSetting: 'METRICS_PORT' };
    servers.push(await listen(createMetricsApplication(parts), options));
  }
  const server = await listen(createApplication(parts), { ...common, port: settings.port, portSetting: 'PORT' });
  servers.push(server);
  const closeServers = async () => {
    await Promise.all(servers.map((each) => each.close(settings.shutdownGraceMs)));
  };
  teardown.add('HTTP', closeServers, settings.shutdownGraceMs + HTTP_CUT_WITHIN_MS);
  teardown.add('profiler', async () => switches?.profiler.stop());

  preferMainThread();
  logger.info('Ready', { port: server.port, pid: process.pid, embedded: stores.embedded });
  process.stdout.write(`${banner(settings, server.port, stores.embedded)}\n`);
  void stores.crashed.then((message) => logger.error(message));
  return health;
}

/** The client and what is kept there; its driver is loaded only where there is a Redis. */
async function connectRedis({ redisUrl, projectIdentifier: prefix }: Settings) {
  if (redisUrl === undefined) return undefined;
  const { createRedis } = await import('./db/redis/client.ts');
  const { createSharedWindows } = await import('./db/redis/shared-windows.ts');
  const client = createRedis(redisUrl, prefix);
  return { client, windows: createSharedWindows(client, { prefix }) };
}
