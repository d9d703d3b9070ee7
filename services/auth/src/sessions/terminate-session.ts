import { ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import { end, type Sessions, sessionView, viewOf } from './session.ts';

export const terminateSession = ({ sessions }: { sessions: Sessions }) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/sessions/{sessionId}:terminate',
    summary: 'End a session and the refresh tokens that belong to it',
    action: 'sessions:write',
    response: sessionView,
    async handle({ tenantId, params, cause, expectedVersion }) {
      const id = String(params['sessionId']);
      const entry = await sessions
        .in(tenantId)
        .change(id, session => session && end(id, session, 'terminated'), { cause, expectedVersion });
      if (!entry) throw new ProblemError('not_found');
      return { body: viewOf(entry), version: entry.version };
    },
  });
