import { idSchema, ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { z } from 'zod';
import { type Consents, consentId, isInForce, personKey } from '../consents/consent.ts';
import type { Installations } from '../installations/installation.ts';
import type { DelegatedTokens } from './delegated-tokens.ts';

type Parts = { installations: Installations; consents: Consents; delegatedTokens: DelegatedTokens; clock: Clock };

export const leaseToken = ({ installations, consents, delegatedTokens, clock }: Parts) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/installations/{installationId}/token',
    summary: 'Lease the access token that a person delegated; every lease is on the record',
    action: 'delegated-tokens:lease',
    body: z.strictObject({ userId: idSchema('user') }),
    response: z.object({
      accessToken: z.string().nullable(),
      scopes: z.array(z.string()),
      expiresAt: z.string().nullable(),
    }),
    withoutSecrets: lease => ({ ...lease, accessToken: null }),
    async handle({ tenantId, params: { installationId }, body: { userId }, cause }) {
      // Looked at here, and not only by the events that end them: those may be on their way.
      const consentInForce = async () => {
        const installation = await installations.in(tenantId).get(installationId);
        const consent = await consents.in(tenantId).getByUnique('person', personKey({ installationId, userId }));
        const isInstalled = installation?.state.status === 'installed';
        return isInstalled && consent && isInForce(consent.state, clock.now()) ? consent : null;
      };
      const consent = await consentInForce();
      const leased = consent && (await delegatedTokens.lease(tenantId, { id: consentId(consent), consent }, cause));
      // Once more: whoever was told meanwhile that it has ended may rely on it.
      if (!leased || (await consentInForce())?.version !== consent.version) throw new ProblemError('not_found');
      const { token, set } = leased;
      return {
        body: { accessToken: set.accessToken, scopes: token.grantedScopes, expiresAt: token.accessTokenExpiresAt },
      };
    },
  });
