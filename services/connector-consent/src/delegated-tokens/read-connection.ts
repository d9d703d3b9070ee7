import { readExisting, tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import type { Installations } from '../installations/installation.ts';
import type { DelegatedTokens } from './delegated-tokens.ts';

type Parts = { installations: Installations; delegatedTokens: DelegatedTokens };

const connectionView = z.object({
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
});

export const readConnection = ({ installations, delegatedTokens }: Parts) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/installations/{installationId}/connection',
    summary: 'Read the state of the delegated access: which scopes were granted and which are missing',
    action: 'installations:read',
    response: connectionView,
    async handle({ tenantId, params: { installationId } }) {
      await readExisting(installations.in(tenantId), installationId);
      const found = await delegatedTokens.ofInstallation(tenantId, installationId);
      const tokens = found.map(({ id, state: { userId, status, grantedScopes, requestedScopes, storedAt } }) => ({
        id,
        userId,
        status,
        grantedScopes,
        missingScopes: requestedScopes.filter(scope => !grantedScopes.includes(scope)),
        storedAt,
      }));
      const isConnected = tokens.some(({ status }) => status === 'stored');
      const body: z.infer<typeof connectionView> = { state: isConnected ? 'connected' : 'not_connected', tokens };
      return { body };
    },
  });
