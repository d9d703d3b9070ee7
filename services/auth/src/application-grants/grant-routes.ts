// What people have allowed applications, for themselves and for the administrators of their tenant: to see and to
// withdraw.
import { changeExisting, ownRoute, paged, pageOf, pageQuery, type Route, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { type ApplicationGrants, applicationGrantView, viewOf, withdraw } from './application-grant.ts';
import { withdrawOwn } from './withdraw-own.ts';

type Parts = { grants: ApplicationGrants; clock: Clock };

const reading = {
  method: 'get',
  action: 'application-grants:read',
  query: pageQuery,
  response: pageOf(applicationGrantView),
} as const;
const withdrawing = { method: 'delete', action: 'application-grants:write', versioned: true, status: 204 } as const;

export function applicationGrantRoutes({ grants, clock }: Parts): Route[] {
  return [
    tenantRoute({
      ...reading,
      path: '/v1/tenants/{tenantId}/application-grants',
      summary: 'List what people have allowed applications that nobody registered, newest first',
      handle: async ({ tenantId, query }) => paged(await grants.in(tenantId).list('inOrder', {}, query), viewOf),
    }),
    tenantRoute({
      ...reading,
      path: '/v1/tenants/{tenantId}/users/{userId}/application-grants',
      // Whose they are may see them as well.
      resource: { user: 'userId' },
      summary: 'List what a person has allowed applications that nobody registered, newest first',
      handle: async ({ tenantId, params: { userId }, query }) =>
        paged(await grants.in(tenantId).list('byUser', { userId: userId as never }, query), viewOf),
    }),
    tenantRoute({
      ...withdrawing,
      path: '/v1/tenants/{tenantId}/application-grants/{grantId}',
      summary: 'Withdraw what a person has allowed an application; its tokens count no more',
      async handle({ tenantId, params: { grantId: id }, cause, expectedVersion }) {
        const at = clock.now();
        await changeExisting(grants.in(tenantId), id, grant => withdraw(id, grant, { because: 'requested', at }), {
          cause,
          expectedVersion,
        });
        return { body: undefined };
      },
    }),
    ownRoute({
      ...reading,
      path: '/v1/me/application-grants',
      summary: 'List what you have allowed applications that nobody registered, newest first',
      handle: async ({ tenantId, caller: { id: userId }, query }) =>
        paged(await grants.in(tenantId).list('byUser', { userId: userId as never }, query), viewOf),
    }),
    ownRoute({
      ...withdrawing,
      path: '/v1/me/application-grants/{grantId}',
      summary: 'Withdraw what you have allowed an application; its tokens count no more',
      async handle({ tenantId, caller: { id: userId }, params: { grantId: id }, cause, expectedVersion }) {
        await withdrawOwn(grants, { tenantId, userId, id, at: clock.now(), cause, expectedVersion });
        return { body: undefined };
      },
    }),
  ];
}
