// What a service that does not own tenants knows of them, learnt from `reeve.directory.v1`: enough to turn a slug or an id in a path
// into a tenant and to see that it is suspended.
import { isId, type TenantId } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import type { Store } from '@reeve/store';

export type KnownTenant = { id: TenantId; slug: string; status: string };

export type TenantDirectory = {
  /** By id or slug; null when no such tenant is known. */
  find(reference: string): Promise<KnownTenant | null>;
};

const cacheMs = 2_000;
/** A tenant made a moment ago by another service is on its way here: wait for it before saying that it does not exist. */
const arrivalMs = 3_000;
const pollMs = 50;

export function createTenantDirectory(store: Store): TenantDirectory & { handlers: Handlers } {
  const collection = store.collections<{ slug: string; status: string }>({
    name: 'known_tenants',
    globallyUnique: { id: (_, id) => id, slug: state => state.slug },
  });
  const known = collection.acrossTenants('the tenant named in a path is looked up before it is known');

  const remember = async (event: { tenantId: TenantId; data: { details: { slug: string; status: string } } }) => {
    const { slug, status } = event.data.details;
    await collection.in(event.tenantId).put(event.tenantId, { slug, status });
  };

  return {
    ...cached(async reference => {
      const entry = await known.getByUnique(isId('tenant', reference) ? 'id' : 'slug', reference);
      return entry && { id: entry.tenantId, slug: entry.state.slug, status: entry.state.status };
    }),
    handlers: { 'tenant.created': remember, 'tenant.updated': remember, 'tenant.suspended': remember },
  };
}

function cached(look: (reference: string) => Promise<KnownTenant | null>): TenantDirectory {
  const cache = new Map<string, { tenant: KnownTenant; until: number }>();
  return {
    async find(reference) {
      const hit = cache.get(reference);
      if (hit && hit.until > Date.now()) return hit.tenant;
      const giveUpAt = Date.now() + arrivalMs;
      let tenant = await look(reference);
      while (!tenant && Date.now() < giveUpAt) {
        await new Promise(resolve => setTimeout(resolve, pollMs));
        tenant = await look(reference);
      }
      if (!tenant) return null;
      if (cache.size > 10_000) cache.clear();
      cache.set(reference, { tenant, until: Date.now() + cacheMs });
      return tenant;
    },
  };
}
