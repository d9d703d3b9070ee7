import { readExisting, tenantRoute } from '@reeve/service-kit';
import type { Log } from '../log/log.ts';
import { type DeletionRequests, deletionsPath, requestWithCount, viewOf } from './deletion-request.ts';
import { countRecords } from './scope.ts';

type Parts = Pick<Log, 'records' | 'tombstones' | 'heads'> & { requests: DeletionRequests };

export const readDeletionRequest = ({ requests, ...log }: Parts) =>
  tenantRoute({
    method: 'get',
    path: `${deletionsPath}/{deletionId}`,
    summary: 'Read a deletion request, with how many records it would remove now and how far it is',
    action: 'audit:configure',
    response: requestWithCount,
    async handle({ tenantId, params }) {
      const entry = await readExisting(requests.in(tenantId), params.deletionId);
      const records = await countRecords(log, tenantId, entry.state.scope);
      return { body: { ...viewOf(entry), records }, version: entry.version };
    },
  });
