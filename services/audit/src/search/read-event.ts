import { ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import { fromStored, type Records } from '../chains/chain-store.ts';
import type { SigningKey } from '../checkpoints/checkpoint-keys.ts';
import { eventView, viewOf } from './event-view.ts';

export const readEvent = ({ records, signingKey }: { records: Records; signingKey: () => SigningKey }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/audit/events/{eventId}',
    summary: 'Read one audit record',
    action: 'audit:read',
    response: eventView,
    async handle({ tenantId, params }) {
      const entry = await records.in(tenantId).get(String(params['eventId']));
      if (!entry) throw new ProblemError('event_unknown');
      return { body: viewOf(fromStored(entry.state), signingKey().kid) };
    },
  });
