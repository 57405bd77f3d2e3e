import { BaseDTO, NotFoundError, type Route, route, type Static, Type } from '../../core/index.ts';
import type { LogLevels } from '../../core/logging/index.ts';
import { assertRoom, COMMON, ExpiresAt, Seconds, TOO_MANY } from './common.ts';
import type { Uses } from './uses.ts';

const Level = Type.Enum(['DEBUG', 'INFO', 'WARNING', 'ERROR']);

const LoggerParams = BaseDTO({
  logger: Type.String({
    pattern: '^[A-Za-z][\\w-]*(\\.[\\w-]+)*$',
    maxLength: 200,
    description: 'As in the field `logger` of a line; it covers those below it: `app.auth` also `app.auth.service`',
    examples: ['app.auth'],
  }),
});

const LogLevelChange = BaseDTO({ level: Level, seconds: Seconds }, { title: 'LogLevelChange' });

const LogLevelView = BaseDTO({ logger: Type.String(), level: Level, expires_at: ExpiresAt }, { title: 'LogLevelView' });

const LogLevelList = Type.Array(LogLevelView);

/** What loggers of this process write, for a while, in place of what the settings say. */
export function createLogLevelRoutes(levels: LogLevels, uses: Uses): Route[] {
  const list = (): Static<typeof LogLevelList> =>
    levels.list().map(({ key, value, expiresAt }) => ({
      logger: key,
      level: value,
      expires_at: expiresAt.toISOString(),
    }));
  return [
    route({
      ...COMMON,
      method: 'get',
      path: '/operations/log-levels',
      summary: 'Log levels that are set for a while',
      responses: { 200: { description: 'Those of this process', schema: LogLevelList } },
      async handler(ctx) {
        await uses.note(ctx, 'operations.switches_viewed', 'The log levels were looked at');
        ctx.respond.success(list(), uses.here);
      },
    }),
    route({
      ...COMMON,
      method: 'put',
      path: '/operations/log-levels/:logger',
      summary: 'Set the log level of a logger for a while',
      description: 'Its lines from this level on go to the console, the file and OTLP, those below it nowhere.',
      params: LoggerParams,
      body: LogLevelChange,
      responses: { 200: { description: 'All that are set in this process', schema: LogLevelList } },
      errors: [TOO_MANY],
      async handler(ctx) {
        const { logger } = ctx.state.input.params;
        const { level, seconds } = ctx.state.input.body;
        assertRoom(levels.hasRoomFor(logger), uses);
        await uses.note(ctx, 'operations.log_level_changed', 'A log level is set', { target: logger, level, seconds });
        assertRoom(levels.set(logger, level, seconds), uses);
        ctx.respond.success(list(), uses.here);
      },
    }),
    route({
      ...COMMON,
      method: 'delete',
      path: '/operations/log-levels/:logger',
      summary: 'End the log level of a logger',
      params: LoggerParams,
      responses: { 200: { description: 'All that are still set in this process', schema: LogLevelList } },
      errors: [{ type: NotFoundError, description: 'None is set for this logger in this process' }],
      async handler(ctx) {
        const { logger } = ctx.state.input.params;
        if (!levels.has(logger)) throw new NotFoundError('No level is set for this logger in this process', uses.here);
        await uses.note(ctx, 'operations.log_level_changed', 'A log level is ended', { target: logger });
        levels.remove(logger);
        ctx.respond.success(list(), uses.here);
      },
    }),
  ];
}
