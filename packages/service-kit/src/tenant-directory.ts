// What a service that does not own tenants knows of them, learnt from `reeve.directory.v1`: enough to turn a slug or an
// id in a path into a tenant and to see that it is suspended.
import { isId, type TenantId } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import { type Collections, collection, DuplicateKeyError, type Store } from '@reeve/store';
import { LRUCache } from 'lru-cache';

export type KnownTenant = { id: TenantId; slug: string; status: string };

export type TenantDirectory = {
  /**
   * By id or slug; null when no such tenant is known. An id that was made a moment ago may be that of a tenant that
   * another service has just created: it is waited for. For callers that are known; a stranger's word makes nobody
   * wait.
   */
  find(reference: string): Promise<KnownTenant | null>;
  /** The same for whatever a stranger names: one look, be the name known or not. */
  findNow(reference: string): Promise<KnownTenant | null>;
  /** The same for what somebody has typed, or an application asks for: case and spaces around it say nothing. */
  findNamed(text: string): Promise<KnownTenant | null>;
};

type LookUp = (reference: string) => Promise<KnownTenant | null>;

const keptMs = 1_000;
/** How long it takes for a new tenant to arrive, at most, and how old it then may be. */
const arrivalMs = 3_000;
const pollMs = 100;

export const knownTenants = collection<{ slug: string; status: string }>({
  name: 'known_tenants',
  globallyUnique: { id: (_, id) => id, slug: ({ slug }) => (slug === '' ? null : slug) },
});

/** What is learnt from provisioning's events. */
export function createTenantDirectory(store: Store): TenantDirectory & { handlers: Handlers } {
  const tenants = store.collection(knownTenants);

  const put = (id: TenantId, state: { slug: string; status: string }) => tenants.in(id).put(id, state);

  async function remember({
    tenantId,
    data,
  }: {
    tenantId: TenantId;
    data: { details: { slug: string; status: string } };
  }) {
    const { slug, status } = data.details;
    try {
      await put(tenantId, { slug, status });
    } catch (error) {
      if (!(error instanceof DuplicateKeyError)) throw error;
      // Provisioning was restored to a time before the other tenant, and gave the name once more: the newer one has it.
      const all = tenants.acrossTenants('a name that another tenant was known by');
      const former = await all.getByUnique('slug', slug);
      if (former && former.tenantId < tenantId) await put(former.tenantId, { ...former.state, slug: '' });
      await put(tenantId, { slug: former && former.tenantId > tenantId ? '' : slug, status });
    }
  }

  return {
    ...tenantDirectory(lookUpIn(tenants)),
    handlers: { 'tenant.created': remember, 'tenant.updated': remember, 'tenant.suspended': remember },
  };
}

/** Looks tenants up in a collection with the globally unique keys `id` and `slug`. */
export function lookUpIn<S extends { slug: string; status: string }>(tenants: Collections<S>): LookUp {
  const all = tenants.acrossTenants('the tenant named in a path is looked up before it is known');
  return async reference => {
    const entry = await all.getByUnique(isId('tenant', reference) ? 'id' : 'slug', reference);
    return entry && { id: entry.tenantId, slug: entry.state.slug, status: entry.state.status };
  };
}

/** A directory over any way to look tenants up. What was found is kept for a second. */
export function tenantDirectory(lookUp: LookUp): TenantDirectory {
  const kept = new LRUCache<string, KnownTenant>({ max: 10_000, ttl: keptMs });

  async function findNow(reference: string): Promise<KnownTenant | null> {
    const known = kept.get(reference);
    if (known) return known;
    const tenant = await lookUp(reference);
    if (tenant) for (const name of [tenant.id, tenant.slug]) kept.set(name, tenant);
    return tenant;
  }

  return {
    findNow,
    findNamed: text => findNow(text.trim().toLowerCase()),
    async find(reference) {
      const giveUpAt = isId('tenant', reference) ? madeAt(reference) + arrivalMs : 0;
      let tenant = await findNow(reference);
      while (!tenant && Date.now() < giveUpAt) {
        await new Promise(resolve => setTimeout(resolve, pollMs));
        tenant = await findNow(reference);
      }
      return tenant;
    },
  };
}

/**
 * A UUIDv7 begins with 48 bits of milliseconds since the epoch (RFC 9562 §5.7). One that is of the future is not
 * believed.
 */
function madeAt(id: TenantId): number {
  const uuid = id.slice(id.indexOf('_') + 1).replaceAll('-', '');
  return Math.min(Number.parseInt(uuid.slice(0, 12), 16), Date.now());
}
