// Whatever holds the key-encryption keys: the port that each kind of it implements, and several of them as one, of
// which one wraps and the others only open what they have wrapped before. Knows no kind.
import { randomBytes } from 'node:crypto';
import { ProblemError } from '@reeve/contracts';
import { keyBytes } from './sealing.ts';

export const keyKinds = ['key_file', 'transit', 'aws_kms'] as const;
export type KeyKind = (typeof keyKinds)[number];

/** `keyId` names the key-encryption key, with its version where the kind has names for those. */
type WrappedByKind = { keyId: string; wrapped: string };
export type WrappedKey = WrappedByKind & { kind: KeyKind };

/**
 * One kind. Both functions reject with the problem `key_service_unavailable` while it does not answer as it should,
 * `key_service_denied` when it refuses us, and `key_unusable` when the key, or that version of it, is not to be used.
 */
export type KeyService = {
  /** Encrypts a data key; `context` is authenticated with it. */
  wrap(dataKey: Buffer, context: string): Promise<WrappedByKind>;
  /** Rejects with an error that is no problem when the context is another one, or the ciphertext was changed. */
  unwrap(key: WrappedByKind, context: string): Promise<Buffer>;
};

export type KeyManagement = {
  /** By the kind that is not read only. */
  wrap(dataKey: Buffer, context: string): Promise<WrappedKey>;
  /** By the kind that has wrapped it. Rejects with `key_unusable` where that is not configured any more. */
  unwrap(key: WrappedKey, context: string): Promise<Buffer>;
  /**
   * Wraps and opens a key that nobody uses. Rejects as these do, and where another context opens it too: nothing would
   * then tie a key to its tenant.
   */
  assertUsable(): Promise<void>;
};

export type Kinds = { wrapping: KeyKind; services: ReadonlyMap<KeyKind, KeyService> };

const retryAfterSeconds = 5;

export const keyServiceUnavailable = (cause: unknown) =>
  new ProblemError('key_service_unavailable', undefined, { cause, retryAfterSeconds });
export const keyServiceDenied = (cause: unknown) =>
  new ProblemError('key_service_denied', undefined, { cause, retryAfterSeconds });
export const keyUnusable = (cause: unknown) =>
  new ProblemError('key_unusable', undefined, { cause, retryAfterSeconds });

/** Anything else than a data key that a service answers with is no answer. */
export function asDataKey(bytes: Buffer): Buffer {
  if (bytes.length === keyBytes) return bytes;
  throw keyServiceUnavailable(new Error(`${bytes.length} bytes were answered where a data key has ${keyBytes}`));
}

export function createKeyManagement({ wrapping, services }: Kinds): KeyManagement {
  const serviceOf = (kind: KeyKind): KeyService => {
    const service = services.get(kind);
    if (!service) throw keyUnusable(new Error(`a data key is wrapped by "${kind}", which is not configured`));
    return service;
  };
  const wrap = async (dataKey: Buffer, context: string) => ({
    kind: wrapping,
    ...(await serviceOf(wrapping).wrap(dataKey, context)),
  });
  const unwrap = async ({ kind, ...key }: WrappedKey, context: string) => serviceOf(kind).unwrap(key, context);

  return {
    wrap,
    unwrap,
    async assertUsable() {
      const dataKey = randomBytes(keyBytes);
      const wrapped = await wrap(dataKey, 'one');
      if (!(await unwrap(wrapped, 'one')).equals(dataKey))
        throw keyServiceUnavailable(new Error('another key came back than was wrapped'));
      const opensForAll = await unwrap(wrapped, 'another').then(
        () => true,
        (error: unknown) => {
          if (error instanceof ProblemError) throw error;
          return false;
        },
      );
      if (opensForAll)
        throw keyUnusable(
          new Error(`the key "${wrapped.keyId}" does not authenticate the context: use one of AES-GCM`),
        );
    },
  };
}
