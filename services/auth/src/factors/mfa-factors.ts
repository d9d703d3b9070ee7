// What an administrator does about the factors of others: sees which there are, and takes them away from whoever has
// lost them or should not have them.
import { idSchema, ProblemError } from '@reeve/contracts';
import { pageOf, tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import type { AssertFactorShown } from './assert-factor-shown.ts';
import { type FactorView, factorView, viewsOf } from './factor.ts';
import type { LapseLevels } from './lapse-levels.ts';
import type { PersonalFactors } from './personal-factors.ts';

type Parts = { personal: PersonalFactors; lapseLevels: LapseLevels; assertFactorShown: AssertFactorShown };

const listView = pageOf(factorView);
const listed = (items: FactorView[]) => ({ body: { items, nextCursor: null } });

export const listFactors = ({ personal }: Pick<Parts, 'personal'>) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/mfa-factors',
    summary: 'List the second factors of a user; none for somebody who is not there, whom this service does not know',
    action: 'mfa-factors:read',
    query: z.strictObject({ userId: idSchema('user') }),
    response: listView,
    handle: async ({ tenantId, query: { userId } }) =>
      listed(viewsOf(userId, await personal.read({ tenantId, userId }))),
  });

export const removeFactor = ({ personal, lapseLevels, assertFactorShown }: Parts) =>
  tenantRoute({
    method: 'delete',
    path: '/v1/tenants/{tenantId}/mfa-factors/{factorId}',
    summary: 'Remove a second factor of a user; what a session has reached by it lapses',
    action: 'mfa-factors:write',
    status: 204,
    async handle({ tenantId, caller, params: { factorId }, cause }) {
      await assertFactorShown(tenantId, caller);
      const userId = await personal.ownerOf(tenantId, factorId);
      if (userId === null) throw new ProblemError('not_found');
      const owner = { tenantId, userId, cause };
      await lapseLevels(owner, await personal.remove(owner, [factorId], 'removed_by_administrator'));
      return { body: undefined };
    },
  });

export const resetFactors = ({ personal, lapseLevels, assertFactorShown }: Parts) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/mfa-factors:reset',
    summary: 'Remove all second factors of a user, who gets new ones at the next sign-in that demands one',
    action: 'mfa-factors:write',
    body: z.strictObject({ userId: idSchema('user') }),
    response: listView,
    async handle({ tenantId, caller, body: { userId }, cause }) {
      await assertFactorShown(tenantId, caller);
      const owner = { tenantId, userId, cause };
      const gone = await personal.remove(owner, 'all', 'removed_by_administrator');
      await lapseLevels(owner, gone);
      return listed(gone);
    },
  });
