import { paged, pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import { type LogoutNotices, logoutNoticeView, viewOf } from './logout-notice.ts';

export const listLogoutNotices = ({ notices }: { notices: LogoutNotices }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/sessions/{sessionId}/logout-notices',
    summary: 'Which applications were told that a session has ended (back-channel logout), for a week',
    action: 'sessions:read',
    query: pageQuery,
    response: pageOf(logoutNoticeView),
    handle: async ({ tenantId, params: { sessionId }, query }) =>
      paged(await notices.in(tenantId).list('ofSession', { sessionId }, query), viewOf),
  });
