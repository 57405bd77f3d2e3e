import {
  MongoBulkWriteError,
  MongoError,
  MongoErrorLabel,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoOperationTimeoutError,
  MongoServerSelectionError,
} from 'mongodb';

const KINDS = [MongoNetworkError, MongoNotConnectedError, MongoOperationTimeoutError, MongoServerSelectionError];

/**
 * Whether an error says that Mongo could not be reached or did not answer in time, or that its primary is changing: what
 * was asked can be asked again later.
 */
export function isMongoUnavailable(error: unknown): boolean {
  if (!(error instanceof MongoError)) return false;
  if (KINDS.some((kind) => error instanceof kind) || error.hasErrorLabel(MongoErrorLabel.RetryableWriteError))
    return true;
  return error instanceof MongoBulkWriteError && isBrokenOff(error);
}

/** A bulk wraps whatever broke it off, and keeps only its message: what no server said has no code. */
function isBrokenOff({ code, writeErrors }: MongoBulkWriteError): boolean {
  return code === undefined && [writeErrors].flat().length === 0;
}
