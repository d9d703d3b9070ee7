import { ownRoute, pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
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
    // Who these sessions are of may see them as well.
    resource: { user: 'userId' },
    summary: "List a user's sessions, newest first",
    async handle({ tenantId, params: { userId }, query }) {
      const page = await sessions.in(tenantId).list('byUser', { userId }, query);
      return { body: { items: page.items.map(viewOf), nextCursor: page.nextCursor } };
    },
  });

export const listOwnSessions = ({ sessions }: { sessions: Sessions }) =>
  ownRoute({
    ...common,
    path: '/v1/me/sessions',
    summary: 'List your own sessions, newest first',
    async handle({ tenantId, caller, query }) {
      const page = await sessions.in(tenantId).list('byUser', { userId: caller.id as `usr_${string}` }, query);
      return { body: { items: page.items.map(viewOf), nextCursor: page.nextCursor } };
    },
  });
