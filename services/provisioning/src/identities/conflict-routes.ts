import { changeExisting, paged, pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import type { Clock, Entry } from '@reeve/store';
import { z } from 'zod';
import type { IdentityConflict, IdentityConflicts } from './conflict.ts';

const conflictView = z.object({
  id: z.string().describe('Of the identity, as events name it'),
  connectionId: z.string(),
  issuer: z.string(),
  subject: z.string(),
  email: z.string().nullable(),
  conflict: z.string().describe('As `identity.conflicted` says it (docs/sign-in.md, “Conflicts”)'),
  userIds: z.array(z.string()).describe('Users who have the address or identifier that it came with'),
  firstAt: z.string(),
  lastAt: z.string(),
  count: z.number().describe('How often the person was refused'),
});

function viewOf({ id, state }: Entry<IdentityConflict>): z.infer<typeof conflictView> {
  const { settledAt: _, ...shown } = state;
  return { id, ...shown };
}

export const listIdentityConflicts = ({ conflicts }: { conflicts: IdentityConflicts }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/identity-conflicts',
    summary: 'List who was vouched for and could not be matched with a user safely, the latest first; for ninety days',
    action: 'users:read',
    query: pageQuery,
    response: pageOf(conflictView),
    handle: async ({ tenantId, query }) => paged(await conflicts.in(tenantId).list('inOrder', {}, query), viewOf),
  });

export const dismissIdentityConflict = ({ conflicts, clock }: { conflicts: IdentityConflicts; clock: Clock }) =>
  tenantRoute({
    method: 'delete',
    path: '/v1/tenants/{tenantId}/identity-conflicts/{identityId}',
    summary: 'Take a conflict off the list, until the person is refused again; linking their identity does so too',
    action: 'users:write',
    status: 204,
    async handle({ tenantId, params: { identityId: id }, cause }) {
      const dismiss = (now: IdentityConflict) => ({ state: { ...now, settledAt: clock.now() }, events: [] });
      await changeExisting(conflicts.in(tenantId), id, dismiss, { cause });
      return { body: undefined };
    },
  });
