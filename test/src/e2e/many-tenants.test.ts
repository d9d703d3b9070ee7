// A thousand tenants with three connections each: a sign-in of one of them costs what it costs alone.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { registerProductApp, signIn } from '@reeve/local/product-app';
import { openAuthStore, type Read } from '../support/auth-store.ts';
import { demoUser, freshTenant, runningSystem } from '../support/running-system.ts';

const credentials = runningSystem();
/** Longer than settings are kept in memory. */
const forgottenMs = 1_500;

test('a sign-in reads as little of the store among a thousand tenants as alone', async () => {
  const own = await freshTenant(credentials, 'many');
  const base = `${credentials.urls.auth}/v1/tenants/${own.tenant.id}`;
  const { oidc: issuer, clientId, clientSecret } = credentials.demoIdp;
  for (const name of ['second', 'third']) {
    const settings = { name, kind: 'oidc', oidc: { issuer, clientId, clientSecret }, jit: { enabled: true } };
    const { id } = await own.api.post<{ id: string }>(`${base}/sso-connections`, settings);
    await own.api.post(`${base}/sso-connections/${id}:activate`);
  }
  await own.api.post(`${base}/auth-keys`, { authKey: 'default', connectionId: own.tenant.connectionId });
  const app = await registerProductApp(own.api, credentials, own.tenant);
  const store = await openAuthStore(credentials, own.tenant.id);
  try {
    // The least of several: what is kept for a second is read twice where a sign-in takes longer.
    const measured = async () => {
      const reads: Read[] = [];
      for (let time = 0; time < 4; time += 1) {
        await sleep(forgottenMs);
        reads.push(await store.readBy(() => signIn(app, own.tenant, demoUser(credentials))));
      }
      const least = (one: Read, other: Read) => one.documents - other.documents || one.operations - other.operations;
      return reads.toSorted(least)[0] as Read;
    };
    const alone = await measured();
    const added = await store.addTenantsLikeIt(1_000);
    expect(added).toMatchObject({ sso_connections: 3_000, auth_keys: 1_000 });
    const among = await measured();
    expect(alone.operations).toBeGreaterThan(0);
    expect(among).toMatchObject({ operations: alone.operations, documents: alone.documents });
    // The key after the last one that is wanted is another tenant's, and is looked at once.
    expect(among.keys).toBeLessThanOrEqual(alone.keys + alone.operations);
  } finally {
    await store.close();
  }
}, 120_000);
