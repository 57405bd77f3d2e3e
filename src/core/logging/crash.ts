import { stopLogger } from './hub.ts';
import { getLogger } from './logger.ts';

/** What ended the process without being asked to. */
export type CrashKind = 'uncaughtException' | 'unhandledRejection';

const MESSAGE: Readonly<Record<CrashKind, string>> = {
  uncaughtException: 'Uncaught exception, the process ends',
  unhandledRejection: 'Unhandled rejection, the process ends',
};

/**
 * Logs what nobody caught and ends logging: when it resolves, within 2 s, the error and every line before it are on
 * disk. Never rejects. The caller exits with 1 afterwards.
 */
export async function flushOnCrash(error: unknown, kind: CrashKind): Promise<void> {
  getLogger('app.process').exception(MESSAGE[kind], error, { kind });
  await stopLogger();
}
