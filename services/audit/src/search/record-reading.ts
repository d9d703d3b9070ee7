// Reading the log is itself recorded, in one place for all routes that show records.
import { createHash } from 'node:crypto';
import { event } from '@reeve/contracts';
import type { Route } from '@reeve/service-kit';
import type { Store } from '@reeve/store';
import { LRUCache } from 'lru-cache';

const longestQuery = 1_000;
const pagesMs = 3_600_000;

/**
 * The further pages of a search are part of the first, which has to be on the record: a cursor may be somebody else's,
 * or made up. With `everyMs` a caller who asks again and again is recorded once in that time: were each pull of a feed
 * recorded, each would bring the next its record.
 */
export function recordReading(recordFact: Store['recordFact'], { everyMs }: { everyMs?: number } = {}) {
  const recorded = new LRUCache<string, true>({ max: 10_000, ttl: everyMs ?? pagesMs });
  return (route: Route): Route => ({
    ...route,
    async handle(asked) {
      const { tenantId, caller, cause, params } = asked;
      const { cursor, ...query } = (asked.query ?? {}) as Record<string, unknown>;
      const what = JSON.stringify({ operation: route.path.replace(/^.*\/audit\//, ''), ...params, ...query });
      const who = `${tenantId} ${caller?.type} ${caller?.id}`;
      const reading = everyMs === undefined ? createHash('sha256').update(`${who}\n${what}`).digest('base64url') : who;
      const isContinued = everyMs !== undefined || cursor !== undefined;
      if (tenantId !== undefined && !(isContinued && recorded.has(reading))) {
        const details = { query: what.slice(0, longestQuery) };
        await recordFact(tenantId, event('audit.read', { id: tenantId, because: 'requested', details }), cause);
        recorded.set(reading, true);
      }
      return route.handle(asked);
    },
  });
}
