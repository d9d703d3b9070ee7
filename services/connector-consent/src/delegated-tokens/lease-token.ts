import { ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { z } from 'zod';
import type { Consents } from '../consents/consent.ts';
import type { DelegatedTokens } from './delegated-tokens.ts';

type Parts = { consents: Consents; delegatedTokens: DelegatedTokens; clock: Clock };

export const leaseToken = ({ consents, delegatedTokens, clock }: Parts) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/installations/{installationId}/token',
    summary: 'Lease the access token that a person delegated; every lease is on the record',
    action: 'delegated-tokens:lease',
    body: z.strictObject({ userId: z.string().min(1).max(100) }),
    response: z.object({
      accessToken: z.string().nullable(),
      scopes: z.array(z.string()),
      expiresAt: z.string().nullable(),
    }),
    withoutSecrets: lease => ({ ...lease, accessToken: null }),
    async handle({ tenantId, params, body, cause }) {
      const consent = await consents
        .in(tenantId)
        .getByUnique('person', `${String(params['installationId'])}|${body.userId}`);
      const counts = consent?.state.status === 'granted' && consent.state.until > clock.now().toISOString();
      const leased = consent && counts ? await delegatedTokens.lease(tenantId, consent.id, cause) : null;
      if (!leased) throw new ProblemError('not_found');
      const { token, set } = leased;
      return {
        body: { accessToken: set.accessToken, scopes: token.grantedScopes, expiresAt: token.accessTokenExpiresAt },
      };
    },
  });
