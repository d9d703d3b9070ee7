// The active connections of a tenant, as a sign-in looks them up.
import type { TenantId } from '@reeve/contracts';
import type { Entry, TenantEntry } from '@reeve/store';
import type { DomainDirectory } from '../domains/domain-directory.ts';
import { keptBriefly } from '../kept-briefly.ts';
import type { Connection, Connections } from './connection.ts';

export type ConnectionDirectory = ReturnType<typeof createConnectionDirectory>;

const mostOfATenant = 1_000;
const mostOfAnIssuer = 1_000;

type Parts = { connections: Connections; domains: DomainDirectory };

export function createConnectionDirectory({ connections, domains }: Parts) {
  /** In the order of their creation. */
  const load = async (tenantId: TenantId): Promise<readonly Entry<Connection>[]> =>
    (await connections.in(tenantId).list('byStatus', { status: 'active' }, { limit: mostOfATenant })).items;
  const { of: activeOf, forget } = keptBriefly(load, { most: 2_000 });

  const everywhere = connections.acrossTenants('an identity provider names only the connection that it belongs to');

  return {
    activeOf,

    /** As it is now, active or not. */
    findAnywhere: (id: string): Promise<TenantEntry<Connection> | null> => everywhere.getByUnique('id', id),

    /** The active ones of all tenants whose identity provider calls itself so. */
    async activeBy(issuer: string): Promise<TenantEntry<Connection>[]> {
      const found = await everywhere.findBy('issuer', issuer, mostOfAnIssuer);
      return found.filter(({ state }) => state.status === 'active');
    },

    /** Null for one that is not active, or of another tenant. */
    findActive: async (tenantId: TenantId, id: string): Promise<Entry<Connection> | null> =>
      (await activeOf(tenantId)).find(one => one.id === id) ?? null,

    /**
     * The connection that speaks for a domain in its tenant, alone: by the proof that it was given it for, or by the
     * word of the platform, which is nothing against the proof of another tenant. Null where none does.
     */
    async speakerFor(tenantId: TenantId, domain: string): Promise<string | null> {
      const [speaker, ...others] = (await activeOf(tenantId)).filter(({ state }) => state.domains.includes(domain));
      if (!speaker || others.length > 0) return null;
      const proof = speaker.state.domainProofs?.find(one => one.domain === domain);
      const holder = await domains.holderOf(domain);
      const holds = proof ? holder?.domainId === proof.domainId : holder === null || holder.tenantId === tenantId;
      return holds ? speaker.id : null;
    },

    forget,
  };
}
