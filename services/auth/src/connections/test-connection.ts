import { event, ProblemError } from '@reeve/contracts';
import { readExisting, tenantRoute } from '@reeve/service-kit';
import type { Store } from '@reeve/store';
import { z } from 'zod';
import type { Connections } from './connection.ts';
import type { Kinds } from './kinds/registry.ts';

type Parts = { connections: Connections; kinds: Kinds; store: Pick<Store, 'recordFact'> };

export const testConnection = ({ connections, kinds, store }: Parts) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/sso-connections/{connectionId}:test',
    summary: 'Try a connection without a person: whether the identity provider answers, and as it did when it was set',
    action: 'connections:write',
    response: z.object({ works: z.boolean(), problem: z.string().nullable() }),
    async handle({ tenantId, params: { connectionId: id }, cause }) {
      const { state } = await readExisting(connections.in(tenantId), id);
      const problem = await kinds[state.kind].test(state.settings).then(
        () => null,
        (error: unknown) => {
          if (error instanceof ProblemError) return error.message;
          throw error;
        },
      );
      const outcome = problem === null ? 'success' : 'failure';
      const tested = event('connection.tested', { id, name: state.name, because: 'requested', outcome });
      await store.recordFact(tenantId, tested, cause);
      return { body: { works: problem === null, problem } };
    },
  });
