import { paged, pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import { type Users, userView, viewOf } from './user.ts';

export const listUsers = ({ users }: { users: Users }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/users',
    summary: 'List users in the order of their creation',
    action: 'users:read',
    query: pageQuery.extend({ status: z.enum(['active', 'deactivated']).optional() }),
    response: pageOf(userView),
    async handle({ tenantId, query: { limit, cursor, status } }) {
      const collection = users.in(tenantId);
      const page = await (status
        ? collection.list('byStatus', { status }, { limit, cursor })
        : collection.list('inOrder', {}, { limit, cursor }));
      return paged(page, viewOf);
    },
  });
