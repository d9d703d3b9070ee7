// Reading the log is itself recorded, in one place for all routes that show records.
import { because, type Cause, type EventDraft, type TenantId } from '@reeve/contracts';
import type { Route } from '@reeve/service-kit';
import { LRUCache } from 'lru-cache';

type RecordFact = (tenantId: TenantId, event: EventDraft, cause: Cause) => Promise<void>;

const longestQuery = 1_000;

/**
 * The further pages of a search are part of the first. With `everyMs` a caller who asks again and again is recorded once in that time: were each pull of
 * a feed recorded, each would bring the next its record.
 */
export function auditedReading(recordFact: RecordFact, { everyMs = 0 }: { everyMs?: number } = {}) {
  const recent = new LRUCache<string, true>({ max: 10_000, ttl: everyMs || 1 });
  return (route: Route): Route => ({
    ...route,
    async handle(request) {
      const { tenantId, caller, cause } = request;
      const { tenantId: _, ...params } = request.params;
      const { cursor, ...query } = (request.query ?? {}) as Record<string, unknown>;
      const who = `${tenantId} ${caller.type} ${caller.id}`;
      if (tenantId !== undefined && cursor === undefined && (everyMs === 0 || !recent.has(who))) {
        recent.set(who, true);
        const asked = JSON.stringify({ operation: route.path.replace(/^.*\/audit\//, ''), ...params, ...query });
        const event: EventDraft = {
          type: 'audit.read',
          target: { type: 'audit_log', id: tenantId, name: null },
          outcome: 'success',
          reason: because('requested'),
          details: { query: asked.slice(0, longestQuery) },
        };
        await recordFact(tenantId, event, cause);
      }
      return route.handle(request);
    },
  });
}
