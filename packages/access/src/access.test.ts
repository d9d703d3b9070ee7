import { describe, expect, test } from '@jest/globals';
import type { TenantId } from '@reeve/contracts';
import { type AccessContext, createAccess, type Principal, type Resource, reaches } from './access.ts';
import { type Action, actions } from './actions.ts';

const acme: TenantId = 'ten_00000000-0000-7000-8000-00000000000a';
const beta: TenantId = 'ten_00000000-0000-7000-8000-00000000000b';
const access = createAccess();

const platformClient: Principal = {
  type: 'client',
  id: 'cli_p',
  tenantId: null,
  scopes: ['platform:admin'],
  roles: [],
  platform: true,
};
const acmeClient: Principal = { ...platformClient, id: 'cli_a', tenantId: acme, scopes: ['tenant'], platform: false };
const user = (...roles: string[]): Principal => ({ ...acmeClient, type: 'user', id: 'usr_a', roles });
const service: Principal = { ...platformClient, type: 'service', scopes: ['internal:identities'], platform: false };
const directory: Principal = { ...acmeClient, type: 'directory', id: 'dir_a', scopes: [] };

const platform: Resource = { type: 'platform' };
const tenant = (tenantId: TenantId): Resource => ({ type: 'tenant', tenantId });
const person = (id: string, tenantId = acme): Resource => ({ type: 'user', id, tenantId });

describe('access', () => {
  test.each<[string, Principal, Action, Resource, string]>([
    [
      'a platform client in any tenant',
      platformClient,
      'users:write',
      tenant(beta),
      'platform-admin-administers-the-platform',
    ],
    [
      "a tenant's client in its tenant",
      acmeClient,
      'users:write',
      tenant(acme),
      'tenant-client-administers-its-tenant',
    ],
    [
      'a client that is limited to one area, in that area',
      { ...acmeClient, scopes: ['webhooks'] },
      'webhooks:write',
      tenant(acme),
      'tenant-client-administers-its-tenant',
    ],
    [
      'a tenant admin in the tenant',
      user('tenant_admin'),
      'webhooks:write',
      tenant(acme),
      'tenant-admin-administers-the-tenant',
    ],
    [
      'a tenant admin, with the sessions of somebody else',
      user('tenant_admin'),
      'sessions:write',
      person('usr_b'),
      'tenant-admin-administers-the-tenant',
    ],
    [
      'an auditor reading the log',
      user('tenant_auditor'),
      'audit:export',
      tenant(acme),
      'tenant-auditor-reads-the-audit-log',
    ],
    [
      'a viewer token reading the log',
      { ...acmeClient, scopes: ['audit:view'] },
      'audit:read',
      tenant(acme),
      'viewer-token-reads-the-audit-log',
    ],
    ['a member seeing installations', user(), 'installations:read', tenant(acme), 'member-sees-installations'],
    ['a member ending an own session', user(), 'sessions:write', person('usr_a'), 'people-manage-what-is-their-own'],
    [
      'a member reading own consents by an application that is limited to their area',
      { ...user(), scopes: ['connectors'] },
      'consents:read',
      person('usr_a'),
      'people-manage-what-is-their-own',
    ],
    ['a directory pushing users', directory, 'directory:push', tenant(acme), 'directory-pushes-into-its-tenant'],
    ['the auth service resolving', service, 'identities:resolve', platform, 'auth-service-resolves-identities'],
  ])('permits %s and names the rule', (_, principal, action, resource, rule) => {
    expect(access.decide({ principal, action, resource })).toMatchObject({ allowed: true, rule });
  });

  test('names the rule that is written first, where several permit', () => {
    const named = (action: Action, resource: Resource) =>
      Array.from({ length: 40 }, () => access.decide({ principal: user('tenant_admin'), action, resource }).rule);
    const rules = [...named('sessions:write', person('usr_a')), ...named('installations:read', tenant(acme))];
    expect([...new Set(rules)]).toEqual(['tenant-admin-administers-the-tenant']);
  });

  test.each<[string, Principal, Action, Resource]>([
    ["a tenant's client in another tenant", acmeClient, 'users:read', tenant(beta)],
    ['a tenant admin in another tenant', user('tenant_admin'), 'users:read', tenant(beta)],
    ['a person of the same id in another tenant', user(), 'sessions:read', person('usr_b', beta)],
    ['a directory in another tenant', directory, 'directory:push', tenant(beta)],
  ])('forbids %s by the rule that nobody crosses tenants', (_, principal, action, resource) => {
    expect(access.decide({ principal, action, resource })).toMatchObject({
      allowed: false,
      rule: 'nobody-crosses-tenants',
    });
  });

  test.each<[string, Principal, Action, Resource]>([
    ['an auditor writing users', user('tenant_auditor'), 'users:write', tenant(acme)],
    ['a member reading the log', user('tenant_member'), 'audit:read', tenant(acme)],
    ['a member ending the session of another', user('tenant_member'), 'sessions:write', person('usr_b')],
    ["a tenant's client creating tenants", acmeClient, 'tenants:write', platform],
    ['a viewer token exporting the log', { ...acmeClient, scopes: ['audit:view'] }, 'audit:export', tenant(acme)],
    ['a viewer token saving a view', { ...acmeClient, scopes: ['audit:view'] }, 'audit:save-views', tenant(acme)],
    ['a client resolving identities', acmeClient, 'identities:resolve', platform],
    ['the platform resolving identities, which is for services', platformClient, 'identities:resolve', platform],
    [
      'a client that says platform:admin and is not',
      { ...acmeClient, scopes: ['platform:admin'] },
      'tenants:write',
      platform,
    ],
    ['a client of one area, in another', { ...acmeClient, scopes: ['webhooks'] }, 'clients:write', tenant(acme)],
    [
      'an admin by an application that is limited to one area, in another',
      { ...user('tenant_admin'), scopes: ['audit'] },
      'users:write',
      tenant(acme),
    ],
    [
      'an admin by an application without any area',
      { ...user('tenant_admin'), scopes: [] },
      'users:write',
      tenant(acme),
    ],
    [
      'a member by an application that is limited to one area, in another',
      { ...user('tenant_member'), scopes: ['audit'] },
      'installations:read',
      tenant(acme),
    ],
    [
      'a member ending an own session by an application that is limited to another area',
      { ...user(), scopes: ['connectors'] },
      'sessions:write',
      person('usr_a'),
    ],
    ['a directory reading users by the API', directory, 'users:read', tenant(acme)],
  ])('does not permit %s, and no rule is named', (_, principal, action, resource) => {
    expect(access.decide({ principal, action, resource })).toMatchObject({ allowed: false, rule: null });
  });

  test('a forged tenant scope without a bound tenant reaches nothing', () => {
    const principal: Principal = { ...acmeClient, tenantId: null };
    for (const action of Object.keys(actions) as Action[])
      expect(access.decide({ principal, action, resource: tenant(acme) }).allowed).toBe(false);
  });
});

describe('a policy may rest on', () => {
  const strict = createAccess(`
@id("recently-and-strongly-at-the-console")
permit (principal is User, action == Action::"users:write", resource)
when {
  context.acr == "urn:mfa" && context.surface == "console" &&
  context has signInAgeSeconds && context.signInAgeSeconds < 300
};
`);
  const allows = (context?: Partial<AccessContext>) =>
    strict.decide({
      principal: user(),
      action: 'users:write',
      resource: tenant(acme),
      ...(context ? { context: { acr: 'urn:mfa', surface: 'console', signInAgeSeconds: 299.5, ...context } } : {}),
    });

  test('how somebody signed in, how long ago, and by which application they ask', () => {
    expect(allows({})).toMatchObject({ allowed: true, rule: 'recently-and-strongly-at-the-console' });
  });

  test.each<[string, Partial<AccessContext>]>([
    ['in another way', { acr: 'urn:password' }],
    ['in no known way', { acr: null }],
    ['too long ago', { signInAgeSeconds: 300 }],
    ['at no known time', { signInAgeSeconds: null }],
    ['by another application', { surface: 'app' }],
    ['by no known application', { surface: null }],
  ])('and refuses whoever did %s', (_, context) => {
    expect(allows(context)).toMatchObject({ allowed: false, rule: null });
  });

  test('and refuses whoever says nothing of it, while the built-in roles still decide by theirs', () => {
    expect(allows()).toMatchObject({ allowed: false, rule: null });
    const request = { principal: user('tenant_admin'), action: 'users:write', resource: tenant(acme) } as const;
    expect([access.decide(request).allowed, strict.decide(request).allowed]).toEqual([true, false]);
  });
});

describe('a credential reaches', () => {
  test.each([
    ['of the tenant', ['tenant'], null, true],
    ['of the tenant', ['tenant'], ['audit'], true],
    ['of areas', ['audit', 'webhooks'], ['audit'], true],
    ['of areas', ['audit', 'webhooks'], [], true],
    ['of areas', ['audit', 'webhooks'], ['audit', 'directory'], false],
    ['of areas', ['audit', 'webhooks'], null, false],
    ['of nothing', [], [], true],
    ['of nothing', [], null, false],
    ['that only calls itself the platform', ['platform:admin'], ['audit'], false],
  ] as const)('%s %j: %j %s', (_, scopes, areas, expected) => {
    expect(reaches({ platform: false, scopes }, areas)).toBe(expected);
  });

  test('everything, of the platform, where it asked for that', () => {
    expect(reaches(platformClient, null)).toBe(true);
    expect(reaches({ platform: true, scopes: [] }, null)).toBe(false);
  });
});
