import { spawn } from 'node:child_process';
import { getSettings } from './core/config/index.ts';
import { failToStart } from './core/errors/startup-error.ts';
import { openStores } from './stores.ts';

/**
 * `npm run dev`: a small parent that owns the embedded stores and hands their addresses to the service, which Node
 * restarts on every change, without them.
 */
try {
  const settings = getSettings();
  const stores = await openStores(settings, (message) => process.stdout.write(`${message}\n`));
  const watch = ['--watch', '--watch-preserve-output', '--watch-path=src', '--watch-path=instrumentation.ts'];
  const service = spawn(process.execPath, [...watch, '--import', './instrumentation.ts', 'src/main.ts'], {
    stdio: 'inherit',
    env: { ...process.env, DATABASE_URL: stores.databaseUrl, MONGO_URL: stores.mongoUrl },
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => service.kill(signal));
  service.on('exit', (code) => {
    void stores.stop().finally(() => process.exit(code ?? 0));
  });
} catch (error) {
  failToStart(error);
}
