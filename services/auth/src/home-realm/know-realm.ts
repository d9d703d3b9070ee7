// What home-realm discovery decides on: each look-up is kept for a second, so that a sign-in costs the store nothing
// that the one before it has not asked.
import { isId, type TenantId } from '@reeve/contracts';
import type { TenantDirectory } from '@reeve/service-kit';
import type { AuthKeyDirectory } from '../auth-keys/auth-key-directory.ts';
import type { ConnectionDirectory } from '../connections/connection-directory.ts';
import type { DomainDirectory } from '../domains/domain-directory.ts';
import { type AskedRealm, findHomeRealm, type KnownRealm, type Realm } from './home-realm.ts';

type Parts = {
  tenants: TenantDirectory;
  connections: ConnectionDirectory;
  authKeys: AuthKeyDirectory;
  domains: DomainDirectory;
};

export type HomeRealm = ReturnType<typeof createHomeRealm>;

export function createHomeRealm({ tenants, connections, authKeys, domains }: Parts) {
  const openTenant = async (reference: string): Promise<TenantId | null> => {
    const tenant = await tenants.findNamed(reference);
    return tenant?.status === 'active' ? tenant.id : null;
  };

  async function ownerOf(connection: string | null): Promise<TenantId | null> {
    const found = isId('connection', connection) ? await connections.findAnywhere(connection) : null;
    return found && openTenant(found.tenantId);
  }

  async function holderOf(domain: string | null): Promise<KnownRealm['holder']> {
    const found = domain === null ? null : await domains.holderOf(domain);
    return found && (await openTenant(found.tenantId)) !== null ? found : null;
  }

  async function realmOf(
    tenantId: TenantId,
    { domain, authKey }: Pick<AskedRealm, 'domain' | 'authKey'>,
  ): Promise<ReturnType<KnownRealm['of']>> {
    if ((await openTenant(tenantId)) === null) return null;
    const active = await connections.activeOf(tenantId);
    // Between fewer than two there is nothing to choose.
    const isChoice = authKey !== null || active.length > 1;
    const [keys, speaker] = await Promise.all([
      isChoice ? authKeys.of(tenantId) : new Map<string, string>(),
      isChoice && domain !== null ? connections.speakerFor(tenantId, domain) : null,
    ]);
    return { connections: active.map(({ id }) => id), speaker, authKeys: keys };
  }

  return {
    async find(asked: AskedRealm): Promise<Realm> {
      const { boundTo, serves, tenant: reference, connection, domain } = asked;
      const [tenant, ownerOfConnection, holder] = await Promise.all([
        reference === null ? null : openTenant(reference),
        boundTo !== null || reference !== null ? null : ownerOf(connection),
        holderOf(domain),
      ]);
      const found = [ownerOfConnection, holder?.tenantId].find(id => id && serves(id)) ?? null;
      const tenantId = boundTo ?? tenant ?? found;
      const realm = tenantId === null ? null : await realmOf(tenantId, asked);
      return findHomeRealm(asked, {
        tenant,
        ownerOfConnection,
        holder,
        of: id => (id === tenantId ? realm : null),
      });
    },
  };
}
