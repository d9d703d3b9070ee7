import { signInCauses } from '@reeve/contracts';
import { instant, paged, pageOf, pageQuery, readExisting, tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import { type Attempts, attemptOutcomes, attemptView, attemptWithSteps, viewOf, viewWithSteps } from './attempt.ts';

const causes = Object.keys(signInCauses) as [keyof typeof signInCauses, ...(keyof typeof signInCauses)[]];
const common = { method: 'get', action: 'connections:read' } as const;

export const listAttempts = ({ attempts }: { attempts: Attempts }) =>
  tenantRoute({
    ...common,
    path: '/v1/tenants/{tenantId}/sign-in-attempts',
    summary: 'Search the sign-in attempts of the last week, newest first',
    query: pageQuery.extend({
      outcome: z.enum(attemptOutcomes).optional(),
      cause: z.enum(causes).optional(),
      connectionId: z.string().max(100).optional(),
      email: z.email().max(320).toLowerCase().optional().describe('Exactly; the other filters do not count beside it'),
      from: instant.optional().describe('Started at or after'),
      to: instant.optional().describe('Started before'),
    }),
    response: pageOf(attemptView),
    async handle({ tenantId, query: { outcome, cause, connectionId, email, from, to, ...page } }) {
      const own = attempts.in(tenantId);
      const range = { from, before: to };
      if (email !== undefined) return paged(await own.list('byEmail', { email }, { ...page, range }), viewOf);
      const only = {
        ...(outcome === undefined ? {} : { outcome }),
        ...(cause === undefined ? {} : { cause }),
        ...(connectionId === undefined ? {} : { connectionId }),
      };
      return paged(await own.list('inOrder', {}, { ...page, range, only }), viewOf);
    },
  });

export const readAttempt = ({ attempts }: { attempts: Attempts }) =>
  tenantRoute({
    ...common,
    path: '/v1/tenants/{tenantId}/sign-in-attempts/{attemptId}',
    summary: 'Read a sign-in attempt: each step, the cause where it failed, and what to do',
    response: attemptWithSteps,
    async handle({ tenantId, params }) {
      return { body: viewWithSteps(await readExisting(attempts.in(tenantId), params.attemptId)) };
    },
  });
