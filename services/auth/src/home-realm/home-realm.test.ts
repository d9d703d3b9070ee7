// The decision table of docs/sign-in.md, line by line.
import { describe, expect, test } from '@jest/globals';
import { newId, type TenantId } from '@reeve/contracts';
import { type AskedRealm, findHomeRealm, type KnownRealm, type RealmRule } from './home-realm.ts';

const [acme, other] = [newId('tenant'), newId('tenant')];
const nothing: AskedRealm = {
  boundTo: null,
  serves: () => true,
  tenant: null,
  connection: null,
  authKey: null,
  domain: null,
};
/** An application of the platform. */
const forOther = { serves: (id: TenantId) => id === other };
const two = {
  connections: ['one', 'two'],
  speaker: null as string | null,
  authKeys: new Map([['eu', 'two']]),
};

function known(more: Partial<KnownRealm> & { acme?: Partial<ReturnType<typeof realm>> } = {}): KnownRealm {
  return {
    tenant: null,
    ownerOfConnection: null,
    holder: null,
    of: id => (id === acme ? realm(more.acme) : null),
    ...more,
  };
}

const realm = (more: Partial<typeof two> = {}) => ({ ...two, ...more });
const holder = (
  policy: 'enforced' | 'offered' | 'off',
  connectionId: string | null = 'two',
  tenantId: TenantId = acme,
) => ({
  tenantId,
  policy,
  connectionId,
});

type Line = [string, Partial<AskedRealm>, Partial<KnownRealm> & { acme?: Partial<typeof two> }, RealmRule, string?];

const table: Line[] = [
  ['nothing is said', {}, {}, 'address_needed'],
  ['an address of a domain that nobody has proven', { domain: 'nobody.example' }, {}, 'address_unknown'],
  [
    'an address of a domain whose tenant has turned it off',
    { domain: 'a.example' },
    { holder: holder('off') },
    'address_unknown',
  ],
  ['an address of a proven domain', { domain: 'a.example' }, { holder: holder('offered') }, 'domain_offered', 'two'],
  ['the same, where it is enforced', { domain: 'a.example' }, { holder: holder('enforced') }, 'domain_enforced', 'two'],
  [
    'the same, without a connection of its own',
    { domain: 'a.example' },
    { holder: holder('offered', null) },
    'first_connection',
    'one',
  ],
  [
    'the same, whose connection is not active',
    { domain: 'a.example' },
    { holder: holder('enforced', 'gone') },
    'domain_enforced',
  ],

  ['a tenant', { tenant: 'acme' }, { tenant: acme }, 'first_connection', 'one'],
  ['a tenant that nobody has', { tenant: 'nobody' }, {}, 'tenant_unknown'],
  [
    'a tenant with a default key',
    { tenant: 'acme' },
    { tenant: acme, acme: { authKeys: new Map([['default', 'two']]) } },
    'default_key',
    'two',
  ],
  [
    'a tenant whose default key names what is not active',
    { tenant: 'acme' },
    { tenant: acme, acme: { authKeys: new Map([['default', 'gone']]) } },
    'first_connection',
    'one',
  ],
  ['a tenant without connections', { tenant: 'acme' }, { tenant: acme, acme: { connections: [] } }, 'no_connection'],
  [
    'a tenant, and an address that one connection speaks for',
    { tenant: 'acme', domain: 'spoken.example' },
    { tenant: acme, acme: { speaker: 'two' } },
    'domain_of_connection',
    'two',
  ],
  [
    'a tenant, and an address of another tenant’s domain',
    { tenant: 'acme', domain: 'o.example' },
    { tenant: acme, holder: holder('enforced', 'two', other) },
    'first_connection',
    'one',
  ],

  ['an auth_key', { tenant: 'acme', authKey: 'eu' }, { tenant: acme }, 'auth_key_named', 'two'],
  ['an auth_key that the tenant has not', { tenant: 'acme', authKey: 'us' }, { tenant: acme }, 'auth_key_unknown'],
  ['an auth_key without a tenant', { authKey: 'eu' }, {}, 'address_needed'],
  [
    'an auth_key with an address',
    { authKey: 'eu', domain: 'a.example' },
    { holder: holder('offered', 'one') },
    'auth_key_named',
    'two',
  ],
  [
    'an auth_key against an enforced domain',
    { authKey: 'eu', domain: 'a.example' },
    { holder: holder('enforced', 'one') },
    'domain_enforced',
    'one',
  ],

  ['a connection', { connection: 'two' }, { ownerOfConnection: acme }, 'connection_named', 'two'],
  ['a connection that nobody has', { connection: 'gone' }, {}, 'connection_unknown'],
  [
    'a connection of another tenant than is named',
    { tenant: 'acme', connection: 'foreign' },
    { tenant: acme },
    'connection_unknown',
  ],
  [
    'a connection before an auth_key',
    { tenant: 'acme', connection: 'one', authKey: 'eu' },
    { tenant: acme },
    'connection_named',
    'one',
  ],
  [
    'a connection against an enforced domain',
    { connection: 'one', domain: 'a.example' },
    { ownerOfConnection: acme, holder: holder('enforced') },
    'domain_enforced',
    'two',
  ],

  ['an application of a tenant', { boundTo: acme }, {}, 'first_connection', 'one'],
  ['the same, which names another tenant', { boundTo: acme, tenant: 'other' }, { tenant: other }, 'tenant_not_served'],
  ['the same, which names a tenant that nobody has', { boundTo: acme, tenant: 'nobody' }, {}, 'tenant_not_served'],
  [
    'the same, with an address of another tenant',
    { boundTo: acme, domain: 'o.example' },
    { holder: holder('enforced', 'x', other) },
    'first_connection',
    'one',
  ],
  [
    'an application that serves others, and names a tenant',
    { ...forOther, tenant: 'acme' },
    { tenant: acme },
    'tenant_not_served',
  ],
  [
    'the same, which names a connection',
    { ...forOther, connection: 'two' },
    { ownerOfConnection: acme },
    'connection_unknown',
  ],
  [
    'the same, with an address of a proven domain',
    { ...forOther, domain: 'a.example' },
    { holder: holder('enforced') },
    'address_unknown',
  ],
  ['an application of a tenant that is suspended', { boundTo: other }, {}, 'no_connection'],
];

describe('who comes with', () => {
  test.each(table.map(([title, ...line]) => ({ title, line })))('$title', ({ line }) => {
    const [asked, facts, rule, connectionId] = line;
    const { boundTo = null } = asked;
    const serves = (id: TenantId) => boundTo === null || id === boundTo;
    const realmFound = findHomeRealm({ ...nothing, serves, ...asked }, known(facts));
    expect(realmFound.rule).toBe(rule);
    if (connectionId === undefined) expect('found' in realmFound).toBe(false);
    else expect(realmFound).toMatchObject({ found: { tenantId: acme, connectionId } });
  });
});
