import {
  MongoBulkWriteError,
  MongoError,
  MongoNetworkError,
  MongoServerError,
  MongoServerSelectionError,
  MongoWriteConcernError,
  type WriteError,
} from 'mongodb';

/** A unique key of the definition is taken; `unique` is its name there. */
export class DuplicateKeyError extends Error {
  readonly unique: string;

  constructor(unique: string, options: { cause?: unknown } = {}) {
    super(`the unique key "${unique}" is taken`, options);
    this.name = 'DuplicateKeyError';
    this.unique = unique;
  }
}

/** Thrown by `change` when it lost the race too often, or when the caller expected another version. */
export class VersionConflictError extends Error {
  readonly expected: number | undefined;

  constructor(expected?: number) {
    super(expected === undefined ? 'too many concurrent changes' : `version ${expected} is not the current one`);
    this.name = 'VersionConflictError';
    this.expected = expected;
  }
}

/** The driver's own failures that pass. It gives them no codes. */
const passingNames = new Set([
  'MongoPoolClearedError',
  'MongoPoolClosedError',
  'MongoWaitQueueTimeoutError',
  'MongoOperationTimeoutError',
  'MongoNotConnectedError',
  'MongoTopologyClosedError',
  'MongoServerClosedError',
  'MongoClientClosedError',
]);

/** What server and driver mark as worth another try. */
const passingLabels = ['RetryableWriteError', 'RetryableError', 'PoolRequestedRetry', 'SystemOverloadedError'];

/**
 * The server's words for a member that is stopping, or is not the primary any more, or cannot get through to the
 * others. https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
 */
const passingCodes = new Set([
  6, // HostUnreachable
  7, // HostNotFound
  43, // CursorNotFound: the server that held it was restarted
  64, // WriteConcernFailed
  89, // NetworkTimeout
  91, // ShutdownInProgress
  133, // FailedToSatisfyReadPreference
  134, // ReadConcernMajorityNotAvailableYet
  189, // PrimarySteppedDown
  262, // ExceededTimeLimit
  9_001, // SocketException
  10_058, // NotWritablePrimary, by its old name
  10_107, // NotWritablePrimary
  11_600, // InterruptedAtShutdown
  11_602, // InterruptedDueToReplStateChange
  13_435, // NotPrimaryNoSecondaryOk
  13_436, // NotPrimaryOrSecondary
]);

/**
 * True when the store could not be reached, was shutting down or changing its primary: the same call may go through
 * later.
 */
export function isStoreUnavailable(error: unknown): boolean {
  if (!(error instanceof MongoError)) return false;
  return (
    error instanceof MongoNetworkError ||
    error instanceof MongoServerSelectionError ||
    error instanceof MongoWriteConcernError ||
    (error instanceof MongoBulkWriteError && isBulkUnavailable(error)) ||
    passingNames.has(error.name) ||
    passingLabels.some(label => error.hasErrorLabel(label)) ||
    passingCodes.has(Number(error.code))
  );
}

/**
 * A bulk write hides the driver's failure in an error of its own, which then neither has a code nor names a document
 * that was refused.
 */
function isBulkUnavailable({ code, writeErrors, result }: MongoBulkWriteError): boolean {
  return (code === undefined && [writeErrors].flat().length === 0) || result.getWriteConcernError() !== undefined;
}

/**
 * The name of the index that refused a write, or null for any other error. Index names are `unique.<name>_1` and
 * `_id_`.
 */
export function refusedIndex(error: unknown): string | null {
  if (!(error instanceof MongoServerError) || error.code !== 11000) return null;
  return indexNamed(error['keyPattern'], error.message);
}

/** The same for one document of many. */
export function refusedIndexOf({ err }: WriteError): string {
  return indexNamed((err as { keyPattern?: unknown }).keyPattern, err.errmsg);
}

function indexNamed(keyPattern: unknown, message: string): string {
  const field =
    typeof keyPattern === 'object' && keyPattern !== null
      ? Object.keys(keyPattern)[0]
      : /index: ([\w.]+?)(?:_-?1|_)?\s/.exec(message)?.[1];
  return field ? field.replace(/^unique\./, '') : '_id';
}
