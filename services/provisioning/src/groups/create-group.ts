import { createOnce, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { z } from 'zod';
import { descriptionSchema, form, type Groups, groupView, nameSchema, viewOf } from './group.ts';

export const createGroup = ({ groups, clock }: { groups: Groups; clock: Clock }) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/groups',
    summary: 'Create a group',
    action: 'groups:write',
    body: z.strictObject({ name: nameSchema, description: descriptionSchema.default(null) }),
    status: 201,
    response: groupView,
    async handle({ tenantId, body, cause, freshId }) {
      const id = freshId('group');
      const formed = form(id, { ...body, createdAt: clock.now().toISOString() });
      const { entry } = await createOnce(groups.in(tenantId), id, formed, {
        cause,
        taken: { name: 'group_name_taken' },
      });
      return { body: viewOf(entry), version: entry.version };
    },
  });
