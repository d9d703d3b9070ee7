// Reading the log is itself recorded, in one place for all routes that show records.
import { event } from '@reeve/contracts';
import type { Route } from '@reeve/service-kit';
import type { Store } from '@reeve/store';
import { LRUCache } from 'lru-cache';

const longestQuery = 1_000;

/**
 * The further pages of a search are part of the first. With `everyMs` a caller who asks again and again is recorded
 * once in that time: were each pull of a feed recorded, each would bring the next its record.
 */
export function recordReading(recordFact: Store['recordFact'], { everyMs = 0 }: { everyMs?: number } = {}) {
  const recent = new LRUCache<string, true>({ max: 10_000, ttl: everyMs || 1 });
  return (route: Route): Route => ({
    ...route,
    async handle(asked) {
      const { tenantId, caller, cause, params } = asked;
      const { cursor, ...query } = (asked.query ?? {}) as Record<string, unknown>;
      const who = `${tenantId} ${caller?.type} ${caller?.id}`;
      if (tenantId !== undefined && cursor === undefined && (everyMs === 0 || !recent.has(who))) {
        const what = JSON.stringify({ operation: route.path.replace(/^.*\/audit\//, ''), ...params, ...query });
        const details = { query: what.slice(0, longestQuery) };
        await recordFact(tenantId, event('audit.read', { id: tenantId, because: 'requested', details }), cause);
        if (everyMs > 0) recent.set(who, true);
      }
      return route.handle(asked);
    },
  });
}
