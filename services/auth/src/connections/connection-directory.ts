// The active connections of a tenant, as a sign-in looks them up.
import type { TenantId } from '@reeve/contracts';
import type { Entry } from '@reeve/store';
import { LRUCache } from 'lru-cache';
import type { Connection, Connections } from './connection.ts';

export type ConnectionDirectory = ReturnType<typeof createConnectionDirectory>;

/** Of a change that another instance has made it is known this much later. */
const keptMs = 1_000;
const mostOfATenant = 1_000;

export function createConnectionDirectory({ connections }: { connections: Connections }) {
  const kept = new LRUCache<TenantId, readonly Entry<Connection>[]>({ max: 2_000, ttl: keptMs });

  /** In the order of their creation, as they were a second ago at most. */
  async function activeOf(tenantId: TenantId): Promise<readonly Entry<Connection>[]> {
    const known = kept.get(tenantId);
    if (known) return known;
    const { items } = await connections.in(tenantId).list('byStatus', { status: 'active' }, { limit: mostOfATenant });
    kept.set(tenantId, items);
    return items;
  }

  return {
    activeOf,

    /** The one with that id, or the first where none is asked for. */
    async choose(tenantId: TenantId, asked: string | null): Promise<Entry<Connection> | null> {
      const active = await activeOf(tenantId);
      return (asked === null ? active[0] : active.find(({ id }) => id === asked)) ?? null;
    },

    /** Whether this connection, and no other of its tenant, speaks for the domain of that address. */
    async speaksFor(tenantId: TenantId, connectionId: string, email: string): Promise<boolean> {
      const domain = /@([^@]+)$/.exec(email)?.[1]?.toLowerCase();
      if (domain === undefined) return false;
      const speakers = (await activeOf(tenantId)).filter(({ state }) => state.domains.includes(domain));
      return speakers.length === 1 && speakers[0]?.id === connectionId;
    },

    forget: (tenantId: TenantId): void => void kept.delete(tenantId),
  };
}
