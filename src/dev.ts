import { spawn } from 'node:child_process';
import { loadSettings } from './core/config/index.ts';
import { failToStart } from './core/errors/startup-error.ts';
import { DOMAIN_SETTINGS } from './domains/settings.ts';
import { nodeArgs } from './node-args.ts';
import { listenForStop } from './signals.ts';
import { openStores } from './stores.ts';

/**
 * `npm run dev`: a small parent that owns the embedded stores and hands their addresses to the service, which Node
 * restarts on every change, without them.
 */
const stop = listenForStop();
try {
  const settings = loadSettings(DOMAIN_SETTINGS);
  const stores = await openStores(settings, (message) => process.stdout.write(`${message}\n`), stop.signal);
  const watch = ['--watch', '--watch-preserve-output', '--watch-path=src', '--watch-path=instrumentation.ts'];
  const service = spawn(process.execPath, [...watch, ...nodeArgs(), 'src/main.ts'], {
    stdio: 'inherit',
    env: {
      ...process.env,
      // Where an address is configured, the service finds it by itself, wherever it stands.
      ...(settings.databaseUrl === undefined ? { DATABASE_URL: stores.databaseUrl } : {}),
      ...(settings.mongoUrl === undefined ? { MONGO_URL: stores.mongoUrl } : {}),
    },
  });
  void stop.received.then((signal) => service.kill(signal));
  void stores.crashed.then((message) => process.stderr.write(`okapi: ${message}\n`));
  service.on('exit', (code) => {
    void stores.stop().finally(() => process.exit(code ?? 0));
  });
} catch (error) {
  if (stop.signal.aborted) process.exit(0);
  failToStart(error);
}
