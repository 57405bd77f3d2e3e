import { loadSettings } from './src/core/config/index.ts';
import { failToStart } from './src/core/errors/startup-error.ts';
import { startTelemetry } from './src/core/telemetry/sdk.ts';
import { DOMAIN_SETTINGS } from './src/domains/settings.ts';

// Preloaded (node --import ./instrumentation.ts), because the SDK patches modules as they are loaded: whatever is
// imported before it stays dark. Nothing imported here may load Koa, pg or mongodb.
try {
  await startTelemetry(loadSettings(DOMAIN_SETTINGS));
} catch (error) {
  failToStart(error);
}
