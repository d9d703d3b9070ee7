// The key that signs statements about logs: made once, kept in the vault under the platform's tenant, the same for every instance. Public keys
// are kept for good, since what an old one signed has to verify for as long as somebody holds it.
import type { KeySet } from '@reeve/audit-log';
import { because, newEventId, platformTenantId, serviceCause } from '@reeve/contracts';
import type { Collections, Store } from '@reeve/store';
import type { Vault } from '@reeve/vault';
import type { RequestHandler } from 'express';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';

export type SigningKey = JWK & { kid: string };

type Current = { keyId: string };
type PublicKey = { jwk: SigningKey; since: string };

export type CheckpointKeys = { current: Collections<Current>; published: Collections<PublicKey> };

const secretClass = 'audit-signing-key';
const use = 'checkpoints';

const cause = () => serviceCause('audit', { correlationId: newEventId() });

export function defineCheckpointKeys(store: Store): CheckpointKeys {
  return {
    current: store.collections<Current>({ name: 'audit_signing_keys' }),
    published: store.collections<PublicKey>({ name: 'audit_public_keys', queries: { inOrder: { equality: [] } } }),
  };
}

export async function loadSigningKey({ keys, vault }: { keys: CheckpointKeys; vault: Vault }): Promise<SigningKey> {
  const current = await keys.current.in(platformTenantId).get(use);
  const keyId = current?.state.keyId ?? (await create());
  const stored = await vault.read(platformTenantId, { secretClass, id: keyId }, { cause: cause(), purpose: 'start' });
  return JSON.parse(stored.toString('utf8')) as SigningKey;

  /** Two instances may start at once: both store a key, one is chosen, the other is forgotten before it signed anything. */
  async function create(): Promise<string> {
    const { privateKey } = await generateKeyPair('Ed25519', { extractable: true });
    const jwk = await exportJWK(privateKey);
    const kid = await calculateJwkThumbprint(jwk);
    const { d: _, ...publicPart } = jwk;
    const because_ = cause();
    await vault.put(platformTenantId, { secretClass, id: kid }, JSON.stringify({ ...jwk, kid }), because_);
    await keys.published
      .in(platformTenantId)
      .put(kid, { jwk: { ...publicPart, kid, alg: 'EdDSA', use: 'sig' }, since: new Date().toISOString() });
    const rotated = {
      type: 'signing_key.rotated',
      target: { type: 'signing_key', id: kid, name: use },
      outcome: 'success',
      reason: because('first_start'),
      details: { keyId: kid, algorithm: 'EdDSA' },
    } as const;
    const chosen = await keys.current
      .in(platformTenantId)
      .change(use, state => (state ? null : { state: { keyId: kid }, events: [rotated] }), { cause: because_ });
    if (!chosen) throw new Error('a signing key could not be stored');
    if (chosen.state.keyId === kid) return kid;
    await vault.destroy(platformTenantId, { secretClass, id: kid }, because_);
    await keys.published.in(platformTenantId).remove(kid);
    return chosen.state.keyId;
  }
}

export async function publicKeys(keys: CheckpointKeys): Promise<KeySet> {
  const found: JWK[] = [];
  for await (const { state } of keys.published.in(platformTenantId).all('inOrder', {})) found.push(state.jwk);
  return { keys: found };
}

/** For everybody: without a token, as a public key should be. */
export const servePublicKeys =
  (keys: CheckpointKeys): RequestHandler =>
  async (request, response, next) => {
    if (request.method !== 'GET' || request.path !== '/.well-known/reeve-audit-keys') return next();
    response.setHeader('Cache-Control', 'public, max-age=300');
    response.type('application/jwk-set+json').send(JSON.stringify(await publicKeys(keys)));
  };
