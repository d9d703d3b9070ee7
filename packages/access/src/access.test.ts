import { describe, expect, test } from '@jest/globals';
import type { TenantId } from '@reeve/contracts';
import { createAccess, type Principal } from './access.ts';

const acme: TenantId = 'ten_00000000-0000-7000-8000-00000000000a';
const beta: TenantId = 'ten_00000000-0000-7000-8000-00000000000b';
const access = createAccess();

const platformClient: Principal = {
  type: 'client',
  id: 'cli_p',
  tenantId: null,
  scopes: ['platform:admin'],
  roles: [],
};
const acmeClient: Principal = { type: 'client', id: 'cli_a', tenantId: acme, scopes: ['tenant'], roles: [] };
const user = (roles: string[]): Principal => ({ type: 'user', id: 'usr_a', tenantId: acme, scopes: ['openid'], roles });

describe('access', () => {
  test.each([
    ['a platform client in any tenant', platformClient, 'users:write', beta, 'platform-admin-administers-the-platform'],
    ["a tenant's client in its tenant", acmeClient, 'users:write', acme, 'tenant-client-administers-its-tenant'],
    [
      'a tenant admin in the tenant',
      user(['tenant_admin']),
      'webhooks:write',
      acme,
      'tenant-admin-administers-the-tenant',
    ],
    [
      'an auditor reading the log',
      user(['tenant_auditor']),
      'audit:export',
      acme,
      'tenant-auditor-reads-the-audit-log',
    ],
    [
      'a viewer token reading the log',
      { ...acmeClient, scopes: ['audit:view'] },
      'audit:read',
      acme,
      'viewer-token-reads-the-audit-log',
    ],
  ] as const)('permits %s and names the rule', (_, principal, action, tenantId, rule) => {
    expect(access.decide({ principal, action, resource: { tenantId } })).toMatchObject({ allowed: true, rule });
  });

  test.each([
    ["a tenant's client in another tenant", acmeClient, 'users:read', beta],
    ['a tenant admin in another tenant', user(['tenant_admin']), 'users:read', beta],
  ] as const)('forbids %s by the rule that nobody crosses tenants', (_, principal, action, tenantId) => {
    expect(access.decide({ principal, action, resource: { tenantId } })).toMatchObject({
      allowed: false,
      rule: 'nobody-crosses-tenants',
    });
  });

  test.each([
    ['an auditor writing users', user(['tenant_auditor']), 'users:write', { tenantId: acme }],
    ['a member reading the log', user(['tenant_member']), 'audit:read', { tenantId: acme }],
    ["a tenant's client creating tenants", acmeClient, 'tenants:write', 'platform'],
    ['a viewer token exporting the log', { ...acmeClient, scopes: ['audit:view'] }, 'audit:export', { tenantId: acme }],
    ['a viewer token saving a view', { ...acmeClient, scopes: ['audit:view'] }, 'audit:save-views', { tenantId: acme }],
    ['a client resolving identities', acmeClient, 'identities:resolve', 'platform'],
  ] as const)('does not permit %s, and no rule is named', (_, principal, action, resource) => {
    expect(access.decide({ principal, action, resource })).toMatchObject({ allowed: false, rule: null });
  });

  test('a forged tenant scope without a bound tenant reaches nothing', () => {
    const principal: Principal = { ...acmeClient, tenantId: null };
    expect(access.decide({ principal, action: 'users:read', resource: { tenantId: acme } }).allowed).toBe(false);
  });
});
