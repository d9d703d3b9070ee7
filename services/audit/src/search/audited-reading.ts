// Reading the log is itself recorded, in one place for all routes that show records.
import { because, type Cause, type EventDraft, type TenantId } from '@reeve/contracts';
import type { Route } from '@reeve/service-kit';

type RecordFact = (tenantId: TenantId, event: EventDraft, cause: Cause) => Promise<void>;

const longestQuery = 1_000;

/** The further pages of a search are part of the first. */
export const auditedReading =
  (recordFact: RecordFact) =>
  (route: Route): Route => ({
    ...route,
    async handle(request) {
      const { tenantId: _, ...params } = request.params;
      const { cursor, ...query } = (request.query ?? {}) as Record<string, unknown>;
      if (request.tenantId !== undefined && cursor === undefined) {
        const asked = JSON.stringify({ operation: route.path.replace(/^.*\/audit\//, ''), ...params, ...query });
        const event: EventDraft = {
          type: 'audit.read',
          target: { type: 'audit_log', id: request.tenantId, name: null },
          outcome: 'success',
          reason: because('requested'),
          details: { query: asked.slice(0, longestQuery) },
        };
        await recordFact(request.tenantId, event, request.cause);
      }
      return route.handle(request);
    },
  });
