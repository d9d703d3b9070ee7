import { ProblemError } from '@reeve/contracts';
import { changeExisting, ownRoute, tenantRoute } from '@reeve/service-kit';
import { end, type Sessions, sessionView, viewOf } from './session.ts';

const common = { method: 'post', action: 'sessions:write', versioned: true, response: sessionView } as const;

export const terminateSession = ({ sessions }: { sessions: Sessions }) =>
  tenantRoute({
    ...common,
    path: '/v1/tenants/{tenantId}/sessions/{sessionId}:terminate',
    summary: 'End a session and the refresh tokens that belong to it',
    async handle({ tenantId, params: { sessionId: id }, cause, expectedVersion }) {
      const entry = await changeExisting(sessions.in(tenantId), id, session => end(id, session, 'terminated'), {
        cause,
        expectedVersion,
      });
      return { body: viewOf(entry), version: entry.version };
    },
  });

export const terminateOwnSession = ({ sessions }: { sessions: Sessions }) =>
  ownRoute({
    ...common,
    path: '/v1/me/sessions/{sessionId}:terminate',
    summary: 'End a session of your own, be it this one',
    async handle({ tenantId, caller, params: { sessionId: id }, cause, expectedVersion }) {
      const entry = await changeExisting(
        sessions.in(tenantId),
        id,
        session => {
          // Somebody else's is not there.
          if (session.userId !== caller.id) throw new ProblemError('not_found');
          return end(id, session, 'ended_by_owner');
        },
        { cause, expectedVersion },
      );
      return { body: viewOf(entry), version: entry.version };
    },
  });
