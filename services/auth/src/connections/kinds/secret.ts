// The secret of a connection, as its kind needs it in the course of a sign-in.
import { type Cause, ProblemError, serviceCause } from '@reeve/contracts';
import { SecretMissingError, type Vault } from '@reeve/vault';
import { LRUCache } from 'lru-cache';
import { type At, connectionSecretClass } from './kind.ts';

export type ReadSecret = (at: At) => Promise<string>;

const keptMs = 300_000;

/**
 * Kept by its name, since every reading is on the record and nothing else ever has that name. Throws
 * `connection_not_active` for one that is gone: its connection has just been deleted, or changed several times.
 */
export function createReadSecret({ vault }: { vault: Vault }): ReadSecret {
  const kept = new LRUCache<string, string>({ max: 1_000, ttl: keptMs });
  return async ({ tenantId, secretName, cause }) => {
    const key = `${tenantId} ${secretName}`;
    const known = kept.get(key);
    if (known !== undefined) return known;
    // It is this service that reads, in the course of somebody's sign-in.
    const { actor } = serviceCause('auth', { correlationId: cause.correlationId });
    const reader: Cause = { ...cause, actor };
    const ref = { secretClass: connectionSecretClass, id: secretName };
    const secret = await vault.read(tenantId, ref, { cause: reader, purpose: 'sign_in' }).catch((error: unknown) => {
      throw error instanceof SecretMissingError
        ? new ProblemError('connection_not_active', undefined, { cause: error })
        : error;
    });
    kept.set(key, secret.toString('utf8'));
    return secret.toString('utf8');
  };
}
