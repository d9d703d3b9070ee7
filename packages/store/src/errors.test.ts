// What a caller is told to try again, and what it is not. The driver's errors are made here as the driver makes them.
import { describe, expect, test } from '@jest/globals';
import { MongoBulkWriteError, MongoInvalidArgumentError, MongoNetworkError, MongoServerError } from 'mongodb';
import { DuplicateKeyError, isStoreUnavailable, VersionConflictError } from './errors.ts';

type Result = ConstructorParameters<typeof MongoBulkWriteError>[1];

const resultWith = (writeConcernError?: object) => ({ getWriteConcernError: () => writeConcernError }) as Result;
const serverError = (code: number, more: object = {}) => new MongoServerError({ message: 'refused', code, ...more });

describe('the store is away', () => {
  test.each([
    ['NotWritablePrimary', serverError(10_107)],
    ['PrimarySteppedDown', serverError(189)],
    ['InterruptedAtShutdown', serverError(11_600)],
    ['InterruptedDueToReplStateChange', serverError(11_602)],
    ['NotPrimaryOrSecondary', serverError(13_436)],
    ['ShutdownInProgress', serverError(91)],
    ['WriteConcernFailed', serverError(64)],
    [
      'a code of a newer server, with the label of a write that may be tried again',
      serverError(99_999, { errorLabels: ['RetryableWriteError'] }),
    ],
    ['a connection that broke', new MongoNetworkError('connection closed')],
    [
      'a connection that broke under a bulk write',
      new MongoBulkWriteError(new MongoNetworkError('connection closed'), resultWith()),
    ],
    [
      'a bulk write that no majority has',
      new MongoBulkWriteError({ message: 'no majority', code: 11_000, writeErrors: [] }, resultWith({ code: 64 })),
    ],
  ])('when it says %s', (_, error) => {
    expect(isStoreUnavailable(error)).toBe(true);
  });
});

describe('the store is not away', () => {
  test.each([
    ['a key that is taken', serverError(11_000)],
    [
      'a bulk write with a key that is taken',
      new MongoBulkWriteError({ message: 'taken', code: 11_000, writeErrors: [] }, resultWith()),
    ],
    ['a command that it does not know', serverError(59)],
    ['an argument that the driver refuses', new MongoInvalidArgumentError('not a filter')],
    ['our own errors', new DuplicateKeyError('name')],
    ['a lost race', new VersionConflictError()],
    ['a defect', new TypeError('undefined is not a function')],
    ['no error at all', undefined],
  ])('when it says %s', (_, error) => {
    expect(isStoreUnavailable(error)).toBe(false);
  });
});
