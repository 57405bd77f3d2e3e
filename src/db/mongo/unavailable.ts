import {
  MongoBulkWriteError,
  MongoError,
  MongoErrorLabel,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoOperationTimeoutError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
} from 'mongodb';

const KINDS = [
  MongoNetworkError,
  MongoNotConnectedError,
  MongoOperationTimeoutError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
];
/** While a server hangs, no new connection comes to be; the driver does not export this class. */
const WAITED_FOR_A_CONNECTION = 'MongoWaitQueueTimeoutError';
/** The system's, handed on as it is or in the error of a bulk when a connection ends just as something is written to it. */
const SYSTEM_CODES = new Set<unknown>(['EPIPE', 'ECONNRESET']);

/**
 * Whether an error says that Mongo could not be reached or did not answer in time, or that its primary is changing: what
 * was asked can be asked again later.
 */
export function isMongoUnavailable(error: unknown): boolean {
  if (error instanceof DOMException) return error.name === 'TimeoutError';
  if (SYSTEM_CODES.has((error as { code?: unknown } | undefined)?.code)) return true;
  if (!(error instanceof MongoError)) return false;
  if (KINDS.some((kind) => error instanceof kind) || error.name === WAITED_FOR_A_CONNECTION) return true;
  if (error.hasErrorLabel(MongoErrorLabel.RetryableWriteError)) return true;
  return error instanceof MongoBulkWriteError && isBrokenOff(error);
}

/** A bulk wraps whatever broke it off, and keeps its message and code: what no server said has none. */
function isBrokenOff({ code, writeErrors }: MongoBulkWriteError): boolean {
  return code === undefined && [writeErrors].flat().length === 0;
}
