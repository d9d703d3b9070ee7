import type { TenantId } from '@reeve/contracts';
import { ownRoute, pageOf, pageQuery, readExisting, tenantRoute } from '@reeve/service-kit';
import type { z } from 'zod';
import type { Sessions } from './session.ts';
import { sessionStatus, sessionView, type ViewParts, viewOf, viewsOf } from './session-view.ts';

type Parts = ViewParts & { sessions: Sessions };

const query = pageQuery.extend({ status: sessionStatus.optional() });

const common = { method: 'get', action: 'sessions:read', query, response: pageOf(sessionView) } as const;

type Asked = { tenantId: TenantId; userId?: string; query: z.infer<typeof query> };

/** Those that have ended for a day. */
async function listed({ sessions, ...parts }: Parts, { tenantId, userId, query: { status, ...page } }: Asked) {
  const own = sessions.in(tenantId);
  const options = { ...page, ...(status === undefined ? {} : { only: { status } }) };
  const { items, nextCursor } = await (userId === undefined
    ? own.list('inOrder', {}, options)
    : own.list('byUser', { userId: userId as never }, options));
  return { body: { items: await viewsOf(parts, tenantId, items), nextCursor } };
}

export const listSessions = (parts: Parts) =>
  tenantRoute({
    ...common,
    path: '/v1/tenants/{tenantId}/sessions',
    summary: 'List sessions, newest first; those that have ended for a day',
    handle: asked => listed(parts, { tenantId: asked.tenantId, query: asked.query }),
  });

export const listUserSessions = (parts: Parts) =>
  tenantRoute({
    ...common,
    path: '/v1/tenants/{tenantId}/users/{userId}/sessions',
    // Who these sessions are of may see them as well.
    resource: { user: 'userId' },
    summary:
      "List a user's sessions, newest first; none for somebody who is not there, whom this service does not know",
    handle: ({ tenantId, params: { userId }, query: asked }) => listed(parts, { tenantId, userId, query: asked }),
  });

export const listOwnSessions = (parts: Parts) =>
  ownRoute({
    ...common,
    path: '/v1/me/sessions',
    summary: 'List your own sessions, newest first',
    handle: ({ tenantId, caller: { id: userId }, query: asked }) => listed(parts, { tenantId, userId, query: asked }),
  });

export const readSession = ({ sessions, ...parts }: Parts) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/sessions/{sessionId}',
    summary: 'Read a session',
    action: 'sessions:read',
    response: sessionView,
    async handle({ tenantId, params: { sessionId } }) {
      const entry = await readExisting(sessions.in(tenantId), sessionId);
      return { body: await viewOf(parts, tenantId, entry), version: entry.version };
    },
  });
