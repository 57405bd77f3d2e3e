import { type DiagLogger, DiagLogLevel, diag } from '@opentelemetry/api';
import { getLogger } from '../logging/index.ts';

const MINUTE_MS = 60_000;

/**
 * Sends what the SDK says about itself to the log. A collector that is down makes the SDK complain at each export:
 * at most one warning a minute passes, and says how many were held back.
 */
export function routeDiagnostics(clock: () => number = Date.now): void {
  const logger = getLogger('app.telemetry.sdk');
  let lastWarningAt = -MINUTE_MS;
  let heldBack = 0;
  const warn = (message: string, ...args: unknown[]) => {
    if (clock() - lastWarningAt < MINUTE_MS) {
      heldBack++;
      return;
    }
    lastWarningAt = clock();
    const details = args.map((arg) => (arg instanceof Error ? arg.message : arg));
    logger.warning(summarize(message), { ...(details.length > 0 ? { details } : {}), held_back: heldBack });
    heldBack = 0;
  };
  const level = (process.env['OTEL_LOG_LEVEL'] ?? 'warn').toUpperCase();
  const debug = (message: string, ...args: unknown[]) => logger.debug(message, args.length > 0 ? { args } : undefined);
  const sink: DiagLogger = { error: warn, warn, info: debug, debug, verbose: debug };
  diag.setLogger(sink, {
    logLevel: DiagLogLevel[level as keyof typeof DiagLogLevel] ?? DiagLogLevel.WARN,
    suppressOverrideMessage: true,
  });
}

/** The SDK reports errors as one JSON text with the stack in it; the message is what a reader needs. */
function summarize(message: string): string {
  try {
    const parsed: unknown = JSON.parse(message);
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed) return `Telemetry: ${parsed.message}`;
  } catch {
    // Not JSON: it is a message already.
  }
  return message;
}
