// Which scopes a client is granted for a service, and which names of tenants are looked up for whom.
import { beforeEach, describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import { tenantDirectory } from '@reeve/service-kit';
import type { Client, KoaContextWithOIDC } from 'oidc-provider';
import type { KnownApplication } from '../applications/known-application.ts';
import type { ResourceServer } from '../resource-servers/resource-server.ts';
import { resourceServerInfo, tenantOfScope } from './resource-servers.ts';

const own = { id: newId('tenant'), slug: 'own', status: 'active' };
const other = { id: newId('tenant'), slug: 'other', status: 'active' };
const suspended = { id: newId('tenant'), slug: 'suspended', status: 'suspended' };
const service = 'https://audit.example';
const id = newId('client');
let lookedUp: string[] = [];
const tenants = () =>
  tenantDirectory(async reference => {
    lookedUp.push(reference);
    return [own, other, suspended].find(({ id, slug }) => id === reference || slug === reference) ?? null;
  });
beforeEach(() => {
  lookedUp = [];
});

type Asked = { scope?: string; resource?: string; grant?: string; server?: ResourceServer };
const ofTenant: Partial<KnownApplication> = { tenantId: own.id };
const ofPlatform: Partial<KnownApplication> = { isPlatform: true };
const serving = (tenants: KnownApplication['tenants']): Partial<KnownApplication> => ({ tenants });

const api: ResourceServer = {
  identifier: 'https://api.example',
  name: 'An API',
  scopes: ['read', 'write'].map(name => ({ name, description: '' })),
  format: 'jwt',
  algorithm: 'ES256',
  tokenSeconds: 120,
  claims: [],
  statusList: false,
  applications: 'platform',
  thirdPartyScopes: [],
  introspectedBy: [],
  exchangePolicies: [],
  mayAct: null,
  createdAt: '2026-11-26T00:00:00.000Z',
};

/**
 * The scopes that are granted, or the protocol's error. The provider's context is far larger than what is read of it.
 */
async function ask(
  application: Partial<KnownApplication>,
  { scope, resource = service, grant = 'client_credentials', server = api }: Asked,
) {
  const context = { oidc: { params: { scope, grant_type: grant } } } as unknown as KoaContextWithOIDC;
  const known = { id, tenantId: null, isPlatform: false, tenants: null, ...application } as KnownApplication;
  const infoOf = resourceServerInfo({
    services: [service],
    resourceServers: {
      find: async asked => (asked === server.identifier ? server : null),
      isOwn: async () => false,
      forget: () => undefined,
    },
    applications: { find: async () => known },
    tenants: tenants(),
    sessionLeftMs: async () => null,
  });
  return infoOf(context, resource, { clientId: id } as Client).then(
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
      expect(await ask({ tenantId: suspended.id }, scope === undefined ? {} : { scope })).toEqual({
        error: 'unauthorized_client',
      });
    expect(await ask(ofPlatform, { scope: 'tenant:suspended' })).toBe('tenant:suspended');
  });

  test('of a platform’s application is granted one of the tenants that it serves, while that is active', async () => {
    const both = serving([own.id, suspended.id]);
    expect(await ask(both, { scope: `tenant:${own.id}` })).toBe(`tenant:${own.id}`);
    expect(await ask(serving('all'), { scope: 'tenant:other' })).toBe('tenant:other');
    for (const scope of [
      'tenant:other',
      `tenant:${other.id}`,
      'tenant:suspended',
      'tenant:nobody',
      'tenant:',
      'platform:admin',
    ])
      expect(await ask(both, { scope })).toEqual(invalidScope);
    expect(await ask(serving('all'), { scope: 'tenant:own tenant:other' })).toEqual(invalidScope);
    for (const application of [serving(null), serving([])])
      expect(await ask(application, { scope: 'tenant:own' })).toEqual(invalidScope);
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

describe('at an API of the product', () => {
  const resource = api.identifier;
  const asPerson = { resource, grant: 'authorization_code' };
  const unknown = { error: 'invalid_target' };

  test('a machine is granted what it asks for of that, and refused as a whole where it asks for more', async () => {
    expect(await ask(serving('all'), { resource, scope: 'read tenant:own' })).toBe('read tenant:own');
    expect(await ask(serving('all'), { resource })).toBe('');
    for (const scope of ['read admin', 'platform:admin', 'openid'])
      expect(await ask(serving('all'), { resource, scope })).toEqual(invalidScope);
  });

  test('an application that signs people in has what there is, of which the provider takes what is asked for', async () => {
    expect(await ask(serving('all'), asPerson)).toBe('read write');
  });

  test('only who may ask is told that it is there', async () => {
    expect(await ask(ofTenant, { resource, scope: 'read' })).toEqual(unknown);
    const forAll: ResourceServer = { ...api, applications: 'all' };
    expect(await ask(ofTenant, { resource, scope: 'read', server: forAll })).toBe('read');
    const listed: ResourceServer = { ...api, applications: [{ clientId: id, scopes: ['read'] }] };
    expect(await ask(ofTenant, { ...asPerson, server: listed })).toBe('read');
    expect(await ask(ofTenant, { resource, scope: 'write', server: listed })).toEqual(invalidScope);
    const others: ResourceServer = { ...api, applications: [{ clientId: newId('client'), scopes: 'all' }] };
    expect(await ask(serving('all'), { resource, scope: 'read', server: others })).toEqual(unknown);
  });
});

test('the tenant of a token is that of its scope', async () => {
  expect(await tenantOfScope('platform:admin tenant:other', tenants())).toBe(other.id);
  expect(await tenantOfScope('tenant:nobody', tenants())).toBeNull();
  for (const scope of ['platform:admin', 'xtenant:own', '', undefined])
    expect(await tenantOfScope(scope, tenants())).toBeNull();
});
