// Which scopes a client is granted for a service, and which names of tenants are looked up for whom.
import { beforeEach, describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import { tenantDirectory } from '@reeve/service-kit';
import type { Client, KoaContextWithOIDC } from 'oidc-provider';
import type { OwnMetadata } from './client-metadata.ts';
import { resourceServerInfo, tenantOfScope } from './resource-servers.ts';

const own = { id: newId('tenant'), slug: 'own', status: 'active' };
const other = { id: newId('tenant'), slug: 'other', status: 'active' };
const suspended = { id: newId('tenant'), slug: 'suspended', status: 'suspended' };
const service = 'https://audit.example';
let lookedUp: string[] = [];
const tenants = () =>
  tenantDirectory(async reference => {
    lookedUp.push(reference);
    return [own, other, suspended].find(({ id, slug }) => id === reference || slug === reference) ?? null;
  });
beforeEach(() => {
  lookedUp = [];
});

type Asked = { scope?: string; resource?: string; grant?: string };
const ofTenant: Partial<OwnMetadata> = { tenant_id: own.id };
const ofPlatform: Partial<OwnMetadata> = { platform: true };

/**
 * The scopes that are granted, or the protocol's error. The provider's context is far larger than what is read of it.
 */
async function ask(client: Partial<OwnMetadata>, { scope, resource = service, grant = 'client_credentials' }: Asked) {
  const context = { oidc: { params: { scope, grant_type: grant } } } as unknown as KoaContextWithOIDC;
  const described = { metadata: () => client } as unknown as Client;
  const infoOf = resourceServerInfo({ resources: [service], tenants: tenants(), sessionLeftMs: async () => null });
  return infoOf(context, resource, described).then(
    ({ scope: granted }) => granted,
    (error: { error: string }) => ({ error: error.error }),
  );
}
const invalidScope = { error: 'invalid_scope' };

describe('a machine', () => {
  test('of a tenant is granted that tenant, by id and by slug', async () => {
    expect(await ask(ofTenant, { scope: `tenant:${own.id}` })).toBe(`tenant:${own.id}`);
    expect(await ask(ofTenant, { scope: 'tenant:own' })).toBe('tenant:own');
  });

  test('of a tenant is refused whatever else, and no name that it tries is looked up', async () => {
    for (const scope of [`tenant:${other.id}`, 'tenant:other', 'tenant:nobody', 'tenant:', 'platform:admin', 'admin'])
      expect(await ask(ofTenant, { scope })).toEqual(invalidScope);
    expect(lookedUp.filter(reference => reference !== own.id)).toEqual([]);
  });

  test('is refused as a whole where it may have a part', async () => {
    expect(await ask(ofTenant, { scope: `tenant:own tenant:other` })).toEqual(invalidScope);
    expect(await ask(ofTenant, { scope: `tenant:own  tenant:${own.id}` })).toBe(`tenant:own tenant:${own.id}`);
  });

  test('of the platform is granted every tenant that there is', async () => {
    expect(await ask(ofPlatform, { scope: 'platform:admin tenant:other' })).toBe('platform:admin tenant:other');
    expect(await ask(ofPlatform, { scope: 'tenant:nobody' })).toEqual(invalidScope);
  });

  test('of a suspended tenant is refused whatever it asks for; the platform is granted that tenant', async () => {
    for (const scope of [`tenant:${suspended.id}`, 'tenant:suspended', 'tenant:own', 'tenant:nobody', '', undefined])
      expect(await ask({ tenant_id: suspended.id }, scope === undefined ? {} : { scope })).toEqual({
        error: 'unauthorized_client',
      });
    expect(await ask(ofPlatform, { scope: 'tenant:suspended' })).toBe('tenant:suspended');
  });

  test('of neither is granted no tenant, and none is looked up for it', async () => {
    for (const scope of ['tenant:own', `tenant:${own.id}`, 'tenant:undefined', 'tenant:'])
      expect(await ask({}, { scope })).toEqual(invalidScope);
    expect(lookedUp).toEqual([]);
  });
});

test('an application that signs people in is granted nothing of a tenant by asking: roles say what they may', async () => {
  const grant = 'authorization_code';
  expect(await ask(ofTenant, { scope: `openid tenant:${own.id} platform:admin`, grant })).toBe('');
});

test.each(['https://evil.example', `${service}/`, 'https://AUDIT.example', ''])(
  '%j is none of our services',
  async resource => {
    expect(await ask(ofTenant, { scope: 'tenant:own', resource })).toEqual({ error: 'invalid_target' });
  },
);

test('the tenant of a token is that of its scope', async () => {
  expect(await tenantOfScope('platform:admin tenant:other', tenants())).toBe(other.id);
  expect(await tenantOfScope('tenant:nobody', tenants())).toBeNull();
  for (const scope of ['platform:admin', 'xtenant:own', '', undefined])
    expect(await tenantOfScope(scope, tenants())).toBeNull();
});
