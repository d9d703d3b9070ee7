import type { SignedIn } from '@reeve/browser-session';
import { ProblemError } from '@reeve/contracts';
import { browserRouteFor, html, searchOf } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { z } from 'zod';
import type { Catalogue } from '../catalogue/catalogue.ts';
import { type Consents, deny } from '../consents/consent.ts';
import type { DelegatedTokens } from '../delegated-tokens/delegated-tokens.ts';
import { type Installations, install } from '../installations/installation.ts';
import type { ThirdParty } from './third-party.ts';

type Parts = {
  installations: Installations;
  consents: Consents;
  delegatedTokens: DelegatedTokens;
  thirdParty: ThirdParty;
  catalogue: Catalogue;
  clock: Clock;
};

/** What else stands in the query is for the relying party to compare. */
const returned = z.looseObject({ state: z.string().catch('') });

export const completeConnection = (parts: Parts) =>
  browserRouteFor<SignedIn>()({
    method: 'get',
    path: '/connect/callback',
    summary: 'Where a third party returns people who were asked there',
    action: 'consents:write',
    query: returned,
    async handle({ request, query: { state }, tenantId, principal, cause }) {
      const sent = await parts.thirdParty.take(state, principal.browserSessionId);
      const { installationId, consentId: id, consentVersion, pending } = sent;
      const installation = (await parts.installations.in(tenantId).get(installationId))?.state;
      const consent = await parts.consents.in(tenantId).get(id);
      if (consent?.version !== consentVersion || !installation) throw new ProblemError('consent_expired');
      const connector = parts.catalogue.get(installation.connectorId);
      const { scopes } = consent.state;
      const query = searchOf(request);
      const obtained = await parts.thirdParty.complete(connector, { pending, query, scopes });
      if (obtained === 'refused') {
        const decide = () => deny(id, consent.state);
        await parts.consents.in(tenantId).change(id, decide, { cause, expectedVersion: consentVersion });
        const content = html`<p>${connector.name} was not allowed access. You can close this window.</p>`;
        return { page: { title: 'Nothing was connected', content } };
      }
      const { set, grantedScopes, expiresInSeconds } = obtained;
      const now = parts.clock.now();
      const token = {
        installationId,
        userId: principal.userId,
        connectorId: connector.id,
        consentVersion,
        requestedScopes: scopes,
        grantedScopes,
        accessTokenExpiresAt:
          expiresInSeconds === null ? null : new Date(now.getTime() + expiresInSeconds * 1_000).toISOString(),
        storedAt: now.toISOString(),
      };
      if (!(await parts.delegatedTokens.store(tenantId, id, { token, set }, cause)))
        throw new ProblemError('consent_expired');
      const decide = (found: typeof installation | null) => found && install(installationId, found);
      await parts.installations.in(tenantId).change(installationId, decide, { cause });
      const content = html`<p>You can close this window. An administrator sees this consent, and can end it, under
the installation.</p>`;
      return { page: { title: `${connector.name} is connected`, content } };
    },
  });
