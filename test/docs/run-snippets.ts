import { pathToFileURL } from 'node:url';
import { format, getCallSites } from 'node:util';
import { getSettings } from '../../src/core/config/index.ts';
import { getTelemetry } from '../../src/core/telemetry/sdk.ts';
import { startServiceLogging } from '../../src/start-logging.ts';
import type { Printed } from './snippets.ts';

/*
 * Runs the files it is given one after the other in this process, started as the service is: with the preload, the
 * settings of `.env`, and an open log. Writes a line of JSON for each: what it printed, and the stack if it failed.
 */

/** What one file printed, and why it did not come to its end. */
export type Ran = { file: string; printed: Printed[]; failure?: string };

startServiceLogging(getSettings(), getTelemetry());

let printed: Printed[] = [];
globalThis.console.log = (...values: unknown[]) => {
  const line = getCallSites(2)[1]?.lineNumber ?? 0;
  printed.push(
    ...format(...values)
      .split('\n')
      .map((text) => ({ line, text })),
  );
};

for (const file of process.argv.slice(2)) {
  printed = [];
  const ran: Ran = { file, printed };
  try {
    await import(pathToFileURL(file).href);
  } catch (error) {
    ran.failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  process.stdout.write(`${JSON.stringify(ran)}\n`);
}
process.exit(0);
