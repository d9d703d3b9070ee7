// Home-realm discovery: by which connection of which tenant somebody signs in. Pure: one decision for every entry
// point, from what is asked for and what is known; docs/sign-in.md has it as a table.
import type { TenantId } from '@reeve/contracts';

/** What an application asks for, or a person says. */
export type AskedRealm = {
  /** The tenant that the application belongs to; null for one that serves many. */
  boundTo: TenantId | null;
  /** Whose people the application may sign in. */
  serves: (tenantId: TenantId) => boolean;
  /** An id or a short name. */
  tenant: string | null;
  connection: string | null;
  authKey: string | null;
  /** Of the person's address, in lowercase ASCII. */
  domain: string | null;
};

type DomainPolicy = 'enforced' | 'offered' | 'off';

type TenantRealm = {
  /** Active connections in the order of their creation. */
  connections: readonly string[];
  /** The one that speaks for the domain that is asked for. */
  speaker: string | null;
  /** Connections by the auth_keys that name them. */
  authKeys: ReadonlyMap<string, string>;
};

/** What is so, of what is asked for. Nothing of a tenant where nobody can sign in. */
export type KnownRealm = {
  tenant: TenantId | null;
  /** Whose the connection is that is asked for. */
  ownerOfConnection: TenantId | null;
  /** Who has proven that the domain is theirs, and what they want of its people. */
  holder: { tenantId: TenantId; policy: DomainPolicy; connectionId: string | null } | null;
  of: (tenantId: TenantId) => TenantRealm | null;
};

export type RealmRule =
  | 'tenant_not_served'
  | 'tenant_unknown'
  | 'connection_unknown'
  | 'auth_key_unknown'
  | 'no_connection'
  | 'address_needed'
  | 'address_unknown'
  | 'domain_enforced'
  | 'connection_named'
  | 'auth_key_named'
  | 'domain_offered'
  | 'domain_of_connection'
  | 'default_key'
  | 'first_connection';

export type Realm =
  | { found: { tenantId: TenantId; connectionId: string }; rule: RealmRule }
  /** The person is asked for their address. */
  | { ask: true; rule: RealmRule }
  /** Nobody can sign in by what is asked for. */
  | { refused: true; rule: RealmRule };

export function findHomeRealm(asked: AskedRealm, known: KnownRealm): Realm {
  const { boundTo, serves, tenant, connection, domain } = asked;
  const isOther = (id: TenantId | null) => (id === null ? boundTo !== null : !serves(id));
  const ifServed = (id: TenantId | null) => (isOther(id) ? null : id);
  // A tenant's application signs in that tenant's people, whatever it asks for.
  if (tenant !== null && isOther(known.tenant)) return refused('tenant_not_served');
  if (tenant !== null && known.tenant === null) return refused('tenant_unknown');
  const holder = known.holder?.policy === 'off' ? null : known.holder;
  // Of a tenant that is not served nothing is said: neither whose a connection is nor whose a domain.
  const tenantId = boundTo ?? known.tenant ?? ifServed(known.ownerOfConnection) ?? ifServed(holder?.tenantId ?? null);
  if (tenantId === null) {
    if (connection !== null) return refused('connection_unknown');
    return domain === null ? asking('address_needed') : asking('address_unknown');
  }
  return inTenant(tenantId, asked, { ...known, holder: holder?.tenantId === tenantId ? holder : null });
}

function inTenant(tenantId: TenantId, { connection, authKey }: AskedRealm, known: KnownRealm): Realm {
  const { connections, speaker, authKeys } = known.of(tenantId) ?? nothing;
  const [first] = connections;
  if (first === undefined) return refused('no_connection');
  const take = (id: string | null | undefined, rule: RealmRule): Realm | null =>
    typeof id === 'string' && connections.includes(id) ? { found: { tenantId, connectionId: id }, rule } : null;
  const byDomain =
    (known.holder?.policy === 'offered' ? take(known.holder.connectionId, 'domain_offered') : null) ??
    take(speaker, 'domain_of_connection');

  // One that nobody can come in by at present is no reason to let people in another way.
  if (known.holder?.policy === 'enforced')
    return take(known.holder.connectionId, 'domain_enforced') ?? refused('domain_enforced');
  if (connection !== null) return take(connection, 'connection_named') ?? refused('connection_unknown');
  if (authKey !== null) return take(authKeys.get(authKey), 'auth_key_named') ?? refused('auth_key_unknown');
  return byDomain ?? take(authKeys.get('default'), 'default_key') ?? (take(first, 'first_connection') as Realm);
}

const nothing: TenantRealm = { connections: [], speaker: null, authKeys: new Map() };

const asking = (rule: RealmRule): Realm => ({ ask: true, rule });
const refused = (rule: RealmRule): Realm => ({ refused: true, rule });
