// Asks the person at a browser, and takes their answer: to exactly what they were shown, by the one who was shown it.
// Applications of the product are not asked about.
import { createHmac } from 'node:crypto';
import { newId, ProblemError } from '@reeve/contracts';
import { type Page, pagesAreFor, type TenantDirectory } from '@reeve/service-kit';
import type { Clock, Store } from '@reeve/store';
import type { Response } from 'express';
import type { Interaction, InteractionResults } from 'oidc-provider';
import type { ApplicationDirectory } from '../applications/application-directory.ts';
import type { BrandDirectory } from '../branding/brand-directory.ts';
import { requestScope } from '../openid-provider/request-scope.ts';
import type { ResourceServerDirectory } from '../resource-servers/resource-server-directory.ts';
import { isSameText } from '../same-text.ts';
import type { LiveSession, LiveSessions, SessionRef } from '../sessions/live-sessions.ts';
import type { Allowed } from './allowed.ts';
import { type AskedFor, type GrantId, refusal } from './application-grant.ts';
import { askedFor, personalScopes, resourceOf } from './asked-for.ts';
import { consentPage } from './consent-page.ts';

type Parts = {
  allowed: Allowed;
  applications: ApplicationDirectory;
  resourceServers: ResourceServerDirectory;
  live: LiveSessions;
  tenants: TenantDirectory;
  brands: BrandDirectory;
  store: Pick<Store, 'recordFact'> & { clock: Clock };
  /** Of cookies, the newest first. */
  keys: readonly string[];
};

type Came = {
  interaction: Pick<Interaction, 'uid' | 'params' | 'session'>;
  answer: URLSearchParams;
  response: Response;
  /** The session that this browser is signed in to. */
  current: () => Promise<SessionRef | null>;
};

export type AskConsent = ReturnType<typeof createAskConsent>;

export function createAskConsent(parts: Parts) {
  const { allowed, applications, resourceServers, live, tenants, brands, store, keys } = parts;

  /** A value that the form of this attempt holds, for this person in this session and for exactly that. */
  const requestOf = (uid: string, { id, tenantId }: LiveSession, asked: AskedFor): string =>
    createHmac('sha256', keys[0] ?? '')
      .update(JSON.stringify(['consent', uid, tenantId, id, asked]))
      .digest('base64url');

  return async ({
    interaction,
    answer,
    response,
    current,
  }: Came): Promise<{ page: Page } | { result: InteractionResults }> => {
    const { uid, params } = interaction;
    const application = await applications.find(String(params['client_id']));
    if (application && !application.document) return { result: { consent: {} } };
    const ref = await current();
    const session = ref && (await live.find(ref));
    const userId = session?.state.userId;
    if (!application?.document || !userId || userId !== interaction.session?.accountId)
      throw new ProblemError('sign_in_expired');
    if (!(await applications.serves(application, session.tenantId)))
      return {
        result: { error: 'access_denied', error_description: 'the application does not serve that organization' },
      };
    const resource = resourceOf(params);
    const server = resource === null ? null : await resourceServers.find(resource);
    const { document } = application;
    const asked = askedFor(params, { application: { ...application, document }, server, userId });
    const request = requestOf(uid, session, asked);
    const said = answer.get('consent');
    const { email, displayName } = session.state;
    const cause = {
      ...requestScope().cause,
      actor: { type: 'user', id: userId, name: displayName ?? email, via: 'session' } as const,
      context: { ...requestScope().cause.context, sessionId: session.id, clientId: application.id },
      correlationId: uid,
    };
    if (said === 'no') {
      await store.recordFact(session.tenantId, refusal(newId('grant') as GrantId, asked), cause);
      return { result: { error: 'access_denied', error_description: 'the person has refused' } };
    }
    if (said === 'yes' && isSameText(answer.get('request'), request)) {
      await allowed.agree(session.tenantId, asked, cause);
      return { result: { consent: {} } };
    }
    const brand = await brands.of(session.tenantId);
    pagesAreFor(response, async () => {
      const { ui_locales: locales } = params;
      return { uiLocales: typeof locales === 'string' ? locales : null, brand };
    });
    const apiScopes = server?.scopes.filter(one => asked.scopes.includes(one.name)) ?? [];
    const page = consentPage({
      uid,
      request,
      hasChanged: said === 'yes',
      host: document.host,
      name: document.name,
      redirectUri: asked.redirectUri,
      api: server && { name: server.name, scopes: apiScopes },
      personal: asked.scopes.filter(scope => personalScopes.includes(scope)),
      person: email ?? displayName ?? userId,
      organization: brand?.displayName ?? (await tenants.find(session.tenantId))?.slug ?? session.tenantId,
    });
    return { page };
  };
}
