import { ownRoute, paged, pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import { type Sessions, sessionView, viewOf } from './session.ts';

const common = { method: 'get', action: 'sessions:read', query: pageQuery, response: pageOf(sessionView) } as const;

export const listSessions = ({ sessions }: { sessions: Sessions }) =>
  tenantRoute({
    ...common,
    path: '/v1/tenants/{tenantId}/sessions',
    summary: 'List sessions, newest first',
    handle: async ({ tenantId, query }) => paged(await sessions.in(tenantId).list('inOrder', {}, query), viewOf),
  });

export const listUserSessions = ({ sessions }: { sessions: Sessions }) =>
  tenantRoute({
    ...common,
    path: '/v1/tenants/{tenantId}/users/{userId}/sessions',
    // Who these sessions are of may see them as well.
    resource: { user: 'userId' },
    summary:
      "List a user's sessions, newest first; none for somebody who is not there, whom this service does not know",
    handle: async ({ tenantId, params: { userId }, query }) =>
      paged(await sessions.in(tenantId).list('byUser', { userId }, query), viewOf),
  });

export const listOwnSessions = ({ sessions }: { sessions: Sessions }) =>
  ownRoute({
    ...common,
    path: '/v1/me/sessions',
    summary: 'List your own sessions, newest first',
    handle: async ({ tenantId, caller: { id: userId }, query }) =>
      paged(await sessions.in(tenantId).list('byUser', { userId }, query), viewOf),
  });
