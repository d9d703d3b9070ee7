// A tenant: the boundary of isolation and billing. Owns its slug, name and status; not its people (users/) nor its sign-in (auth).
import { because, type EventDraft, isId, type TenantId } from '@reeve/contracts';
import type { TenantDirectory } from '@reeve/service-kit';
import type { Collections, Decision, Entry, Store } from '@reeve/store';
import { z } from 'zod';

export type Tenant = { slug: string; name: string; status: 'active' | 'suspended'; createdAt: string };
export type Tenants = Collections<Tenant>;

export const slugSchema = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{1,38}[a-z0-9]$/,
    'must be 3 to 40 lowercase letters, digits and hyphens, starting with a letter',
  );

export const tenantView = z.object({
  id: z.string(),
  slug: z.string(),
  name: z.string(),
  status: z.string(),
  createdAt: z.string(),
});

export function defineTenants(store: Store): Tenants {
  return store.collections<Tenant>({
    name: 'tenants',
    globallyUnique: { id: (_, id) => id, slug: tenant => tenant.slug },
  });
}

/** The service that owns tenants looks them up where they are. */
export function ownTenantDirectory(tenants: Tenants): TenantDirectory {
  const all = tenants.acrossTenants('the tenant named in a path is looked up before it is known');
  return {
    async find(reference) {
      const entry = await all.getByUnique(isId('tenant', reference) ? 'id' : 'slug', reference);
      return entry && { id: entry.tenantId, slug: entry.state.slug, status: entry.state.status };
    },
  };
}

export function viewOf({ id, state }: Entry<Tenant>): z.infer<typeof tenantView> {
  return { id, slug: state.slug, name: state.name, status: state.status, createdAt: state.createdAt };
}

type TenantEventType = 'tenant.created' | 'tenant.suspended';

function event(type: TenantEventType, id: TenantId, tenant: Tenant, reason: string): EventDraft {
  const target = { type: 'tenant', id, name: tenant.name };
  return {
    type,
    target,
    outcome: 'success',
    reason: because(reason),
    details: { slug: tenant.slug, status: tenant.status },
  };
}

export function open(id: TenantId, { slug, name, createdAt }: Omit<Tenant, 'status'>): NonNullable<Decision<Tenant>> {
  const state: Tenant = { slug, name, status: 'active', createdAt };
  return { state, events: [event('tenant.created', id, state, 'requested')] };
}

export function suspend(id: TenantId, tenant: Tenant): Decision<Tenant> {
  if (tenant.status === 'suspended') return null;
  const state: Tenant = { ...tenant, status: 'suspended' };
  return { state, events: [event('tenant.suspended', id, state, 'requested')] };
}
