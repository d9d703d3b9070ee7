// A customer of the platform: a name, a slug that is nobody else's, and whether its people get in. What is a tenant's
// own lies with whoever owns it.
import { event, type ReasonOf, type TenantId } from '@reeve/contracts';
import { lookUpIn, type TenantDirectory } from '@reeve/service-kit';
import { type Collections, collection, type Decision, type Entry } from '@reeve/store';
import { z } from 'zod';

export type Tenant = { slug: string; name: string; status: 'active' | 'suspended'; createdAt: string };
export type Tenants = Collections<Tenant>;

export const slugSchema = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{1,38}[a-z0-9]$/,
    'must be 3 to 40 lowercase letters, digits and hyphens, starting with a letter',
  );
export const nameSchema = z.string().trim().min(1).max(200);

export const tenantView = z.object({
  id: z.string(),
  slug: z.string(),
  name: z.string(),
  status: z.string(),
  createdAt: z.string(),
});

export const tenants = collection<Tenant>({
  name: 'tenants',
  globallyUnique: { id: (_, id) => id, slug: tenant => tenant.slug },
  listedAcrossTenants: true,
});

/** The service that owns tenants looks them up where they are: nothing is on its way, and nothing is remembered. */
export function ownTenantDirectory(collections: Tenants): TenantDirectory {
  const find = lookUpIn(collections);
  return { find, findNow: find, findNamed: text => find(text.trim().toLowerCase()) };
}

export function viewOf({ id, state }: Entry<Tenant>): z.infer<typeof tenantView> {
  return { id, slug: state.slug, name: state.name, status: state.status, createdAt: state.createdAt };
}

const about = (id: TenantId, { slug, name, status }: Tenant) => ({ id, name, details: { slug, status } });

function updated(id: TenantId, state: Tenant, changed: keyof Tenant, because: ReasonOf<'tenant.updated'>) {
  const { details, ...target } = about(id, state);
  return event('tenant.updated', { ...target, because, details: { ...details, changed: [changed] } });
}

export function open(id: TenantId, tenant: Omit<Tenant, 'status'>): NonNullable<Decision<Tenant>> {
  const state: Tenant = { ...tenant, status: 'active' };
  return { state, events: [event('tenant.created', { ...about(id, state), because: 'requested' })] };
}

export function rename(id: TenantId, tenant: Tenant, name: string): Decision<Tenant> {
  if (tenant.name === name) return null;
  const state: Tenant = { ...tenant, name };
  return { state, events: [updated(id, state, 'name', 'requested')] };
}

export function suspend(id: TenantId, tenant: Tenant): Decision<Tenant> {
  if (tenant.status === 'suspended') return null;
  const state: Tenant = { ...tenant, status: 'suspended' };
  return { state, events: [event('tenant.suspended', { ...about(id, state), because: 'requested' })] };
}

export function resume(id: TenantId, tenant: Tenant): Decision<Tenant> {
  if (tenant.status === 'active') return null;
  const state: Tenant = { ...tenant, status: 'active' };
  return { state, events: [updated(id, state, 'status', 'resumed')] };
}
