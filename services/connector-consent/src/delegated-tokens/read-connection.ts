import { ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import type { Installations } from '../installations/installation.ts';
import type { DelegatedTokens } from './delegated-tokens.ts';

export const readConnection = ({
  installations,
  delegatedTokens,
}: {
  installations: Installations;
  delegatedTokens: DelegatedTokens;
}) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/installations/{installationId}/connection',
    summary: 'Read the state of the delegated access: which scopes were granted and which are missing',
    action: 'installations:read',
    response: z.object({
      state: z.enum(['connected', 'not_connected']),
      tokens: z.array(
        z.object({
          id: z.string(),
          userId: z.string(),
          status: z.string(),
          grantedScopes: z.array(z.string()),
          missingScopes: z.array(z.string()),
          storedAt: z.string(),
        }),
      ),
    }),
    async handle({ tenantId, params }) {
      const installationId = String(params['installationId']);
      if (!(await installations.in(tenantId).get(installationId))) throw new ProblemError('not_found');
      const found = await delegatedTokens.ofInstallation(tenantId, installationId);
      const tokens = found.map(({ id, state: { userId, status, grantedScopes, requestedScopes, storedAt } }) => ({
        id,
        userId,
        status,
        grantedScopes,
        storedAt,
        missingScopes: requestedScopes.filter(scope => !grantedScopes.includes(scope)),
      }));
      const connected = tokens.some(({ status }) => status === 'stored');
      return { body: { state: connected ? ('connected' as const) : ('not_connected' as const), tokens } };
    },
  });
