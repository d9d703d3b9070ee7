import { createOnce, tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import type { Log } from '../log/log.ts';
import {
  type DeletionRequests,
  deletionsPath,
  personOf,
  request,
  requestWithCount,
  viewOf,
} from './deletion-request.ts';
import { countRecords, scope } from './scope.ts';

type Parts = Pick<Log, 'records' | 'tombstones' | 'heads' | 'clock'> & { requests: DeletionRequests };

export const createDeletionRequest = ({ requests, ...log }: Parts) =>
  tenantRoute({
    method: 'post',
    path: deletionsPath,
    summary:
      'Ask for records to be removed before their time, of what is in the log now; another person has to confirm',
    action: 'audit:configure',
    body: z.strictObject({ scope, reason: z.string().trim().min(1).max(1_000) }),
    status: 201,
    response: requestWithCount,
    async handle({ tenantId, body, cause, freshId }) {
      const id = freshId('deletion');
      const requested = request(id, { ...body, requestedBy: personOf(cause.actor) }, log.clock.now());
      const { entry } = await createOnce(requests.in(tenantId), id, requested, { cause });
      const records = await countRecords(log, tenantId, entry.state.scope);
      return { body: { ...viewOf(entry), records }, version: entry.version };
    },
  });
