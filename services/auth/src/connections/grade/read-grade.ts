import { readExisting, tenantRoute } from '@reeve/service-kit';
import type { Connections } from '../connection.ts';
import type { ConnectionKind } from '../kinds/kind.ts';
import type { Kinds } from '../kinds/registry.ts';
import { gradeOf, gradeSchema } from './grade.ts';

export const readGrade = ({ connections, kinds }: { connections: Connections; kinds: Kinds }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/sso-connections/{connectionId}/grade',
    summary: 'Which level of IPSIE’s session lifecycle an SSO connection reaches, clause by clause; nobody is asked',
    action: 'connections:read',
    response: gradeSchema,
    async handle({ tenantId, params }) {
      const { state } = await readExisting(connections.in(tenantId), params.connectionId);
      const kind: ConnectionKind = kinds[state.kind];
      return { body: gradeOf(state, kind.clauses(state.settings)) };
    },
  });
