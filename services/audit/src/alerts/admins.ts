// Who may be an administrator of a tenant, from its log: so that the sign-ins of everybody else are not looked into.
// Known for some minutes; roles that this process chains meanwhile are added.
import type { AuditRecord } from '@reeve/audit-log';
import type { TenantId } from '@reeve/contracts';
import { LRUCache } from 'lru-cache';
import { findRecords } from '../log/find-records.ts';
import type { Records } from '../log/record.ts';
import { minuteMs, textOf } from './rule.ts';

export const adminRole = 'tenant_admin';

const mostTenants = 5_000;
const knownForMs = 10 * minuteMs;
/** Of a tenant with more of them, anybody may be one. */
const mostAdmins = 200;
const given = 'role.assigned';

export function createAdmins(records: Records) {
  const known = new LRUCache<TenantId, Promise<Set<string> | null>>({ max: mostTenants, ttl: knownForMs });
  const adminIn = ({ details }: AuditRecord) => (details['role'] === adminRole ? textOf(details['userId']) : null);

  /** Null where there are too many. */
  async function read(tenantId: TenantId): Promise<Set<string> | null> {
    const filters = { text: adminRole, type: given };
    const { items, nextCursor } = await findRecords(records, tenantId, { filters, limit: mostAdmins });
    if (nextCursor !== null) return null;
    const ids = items.map(({ state }) => adminIn(JSON.parse(state.canonical) as AuditRecord));
    return new Set(ids.filter(id => id !== null));
  }

  return {
    async mayBeAdmin(tenantId: TenantId, userId: string): Promise<boolean> {
      let admins = known.get(tenantId);
      if (!admins) {
        admins = read(tenantId);
        known.set(tenantId, admins);
        admins.catch(() => known.delete(tenantId));
      }
      return (await admins)?.has(userId) ?? true;
    },

    /** A role that was chained just now. */
    async see(record: AuditRecord): Promise<void> {
      const userId = record.type === given ? adminIn(record) : null;
      if (userId !== null) (await known.get(record.tenantId as TenantId))?.add(userId);
    },
  };
}
