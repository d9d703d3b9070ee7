import { MongoNetworkError, MongoServerError, MongoServerSelectionError, type WriteError } from 'mongodb';

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

/** True when the store could not be reached or was shutting down: the same call may go through later. */
export function isStoreUnavailable(error: unknown): boolean {
  if (error instanceof MongoNetworkError || error instanceof MongoServerSelectionError) return true;
  return (
    error instanceof Error &&
    [
      'MongoPoolClearedError',
      'MongoPoolClosedError',
      'MongoWaitQueueTimeoutError',
      'MongoOperationTimeoutError',
      'MongoNotConnectedError',
      'MongoTopologyClosedError',
    ].includes(error.name)
  );
}

/** The name of the index that refused a write, or null for any other error. Index names are `unique.<name>_1` and `_id_`. */
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
