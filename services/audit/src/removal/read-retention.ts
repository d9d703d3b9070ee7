import { tenantRoute } from '@reeve/service-kit';
import type { Log } from '../log/log.ts';
import { type Policies, policyId, retentionPath, retentionView, viewOf } from './retention-policy.ts';

type Parts = Pick<Log, 'records' | 'heads'> & { policies: Policies };

export const readRetention = ({ policies, ...log }: Parts) =>
  tenantRoute({
    method: 'get',
    path: retentionPath,
    summary: 'Read how long the records of each class are kept; for ever where nobody said otherwise',
    action: 'audit:configure',
    response: retentionView,
    async handle({ tenantId }) {
      const entry = await policies.in(tenantId).get(policyId);
      return { body: await viewOf(log, tenantId, entry?.state), version: entry?.version ?? 0 };
    },
  });
