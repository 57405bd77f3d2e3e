import type { Settings } from './core/config/index.ts';
import { loggingStats, startLogging } from './core/logging/index.ts';
import { logDropped } from './core/telemetry/metrics/service-metrics.ts';
import type { Telemetry } from './core/telemetry/sdk.ts';

/**
 * Opens the log as the settings say, and shows in a metric what it had to drop. Returns what ends the export of lines by
 * OTLP, to be called before telemetry ends: later lines go to the files and the console alone.
 */
export function startServiceLogging(settings: Settings, { service, logSink }: Telemetry): () => void {
  let isExported = logSink !== undefined;
  startLogging({
    level: settings.logLevel,
    dir: settings.logDir,
    files: settings.logFiles,
    consoleFormat: settings.environment === 'production' ? 'json' : 'readable',
    colors: process.stderr.isTTY === true && !process.env['NO_COLOR'],
    service,
    ...(logSink === undefined ? {} : { sink: (record) => isExported && logSink(record) }),
  });
  logDropped.addCallback((report) => {
    const { app, error, console, droppedBeforeStart } = loggingStats();
    report(app.dropped, { destination: 'app' });
    report(error.dropped, { destination: 'error' });
    report(console.dropped, { destination: 'console' });
    report(droppedBeforeStart, { destination: 'before_start' });
  });
  return () => {
    isExported = false;
  };
}
