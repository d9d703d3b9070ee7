import { pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import { type Sessions, sessionView, viewOf } from './session.ts';

const common = { method: 'get', action: 'sessions:read', query: pageQuery, response: pageOf(sessionView) } as const;

export const listSessions = ({ sessions }: { sessions: Sessions }) =>
  tenantRoute({
    ...common,
    path: '/v1/tenants/{tenantId}/sessions',
    summary: 'List sessions, newest first',
    async handle({ tenantId, query }) {
      const page = await sessions.in(tenantId).list('inOrder', {}, query);
      return { body: { items: page.items.map(viewOf), nextCursor: page.nextCursor } };
    },
  });

export const listUserSessions = ({ sessions }: { sessions: Sessions }) =>
  tenantRoute({
    ...common,
    path: '/v1/tenants/{tenantId}/users/{userId}/sessions',
    summary: "List a user's sessions, newest first",
    async handle({ tenantId, params, query }) {
      const page = await sessions.in(tenantId).list('byUser', { userId: String(params['userId']) }, query);
      return { body: { items: page.items.map(viewOf), nextCursor: page.nextCursor } };
    },
  });
