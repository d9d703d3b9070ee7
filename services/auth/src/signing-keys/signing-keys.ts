// The keys that sign tokens. Made once, kept in the vault under the platform's tenant; every instance loads the same
// ones.
import { event, newEventId, platformTenantId, serviceCause } from '@reeve/contracts';
import { type Collections, collection } from '@reeve/store';
import type { Vault } from '@reeve/vault';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';

export type SigningKey = JWK & { kid: string; alg: string };
export type SigningKeys = { accessToken: SigningKey; idToken: SigningKey };

type Current = { keyId: string };

const secretClass = 'signing-key';
/**
 * ES256 for our own resource servers; RS256 for ID tokens, since that is what a client library expects unless told
 * otherwise.
 */
const uses = { accessToken: 'ES256', idToken: 'RS256' } as const;

const cause = () => serviceCause('auth', { correlationId: newEventId() });

export const signingKeys = collection<Current>({ name: 'signing_keys' });

export async function loadSigningKeys({
  keys,
  vault,
}: {
  keys: Collections<Current>;
  vault: Vault;
}): Promise<SigningKeys> {
  return { accessToken: await load('accessToken'), idToken: await load('idToken') };

  async function load(use: keyof typeof uses): Promise<SigningKey> {
    const collection = keys.in(platformTenantId);
    const current = (await collection.get(use)) ?? (await create(use));
    const stored = await vault.read(
      platformTenantId,
      { secretClass, id: current.state.keyId },
      { cause: cause(), purpose: 'start' },
    );
    return JSON.parse(stored.toString('utf8')) as SigningKey;
  }

  /** Two instances may start at once: both store a key, one is chosen, the other forgotten. */
  async function create(use: keyof typeof uses) {
    const alg = uses[use];
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    const jwk = await exportJWK(privateKey);
    const keyId = await calculateJwkThumbprint(jwk);
    const made = cause();
    await vault.put(
      platformTenantId,
      { secretClass, id: keyId },
      JSON.stringify({ ...jwk, alg, use: 'sig', kid: keyId }),
      made,
    );
    const details = { keyId, algorithm: alg };
    const rotated = event('signing_key.rotated', { id: keyId, name: use, because: 'first_start', details });
    const chosen = await keys
      .in(platformTenantId)
      .change(use, state => (state ? null : { state: { keyId }, events: [rotated] }), { cause: made });
    if (!chosen) throw new Error('a signing key could not be stored');
    if (chosen.state.keyId !== keyId) await vault.destroy(platformTenantId, { secretClass, id: keyId }, made);
    return chosen;
  }
}
