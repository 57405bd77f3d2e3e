import { createRequire } from 'node:module';
import type { Instrumented } from '../core/telemetry/self-check.ts';

const require = createRequire(import.meta.url);

/** The functions of the drivers that tracing hangs on, for the self-check at start. */
export function instrumentedDrivers(): Instrumented[] {
  const { Connection } = require('mongodb/lib/cmap/connection.js') as { Connection: { prototype: object } };
  return [{ package: 'mongodb', function: (Connection.prototype as { command?: unknown }).command }];
}
