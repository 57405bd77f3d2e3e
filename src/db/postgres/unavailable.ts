import { ServiceUnavailableError } from '../../core/errors/app-http-error.ts';

const SYSTEM_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
  'EAI_AGAIN',
]);
// Connection exceptions, too many connections, shutting down or starting up (PostgreSQL manual, appendix A).
const SQLSTATES = /^(08|53300|57P0[123])/;
const MESSAGES =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/;

/** Whether an error says that PostgreSQL could not be reached, as opposed to refusing what it was asked. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  if (typeof code === 'string' && (SYSTEM_CODES.has(code) || SQLSTATES.test(code))) return true;
  if (error instanceof AggregateError) return error.errors.some(isUnavailable);
  return MESSAGES.test(error.message);
}

/** What a caller of the API is told meanwhile: 503, come again. Other errors are handed back as they are. */
export function asUnavailable(error: unknown): unknown {
  if (!isUnavailable(error)) return error;
  return new ServiceUnavailableError('The database cannot be reached at this moment', {
    code: 'postgres.unavailable',
    cause: error,
  });
}
