// Asks a person whether a connector may act for them: the page, and what they answer. It is open from the approval of
// the installation until the connector is connected or uninstalled, or the request is too old. Until then an answer may
// be changed: who said no may say yes.
import type { SignedIn } from '@reeve/browser-session';
import {
  type Cause,
  type Id,
  isId,
  newId,
  ProblemError,
  type ReasonOf,
  serviceCause,
  type TenantId,
} from '@reeve/contracts';
import { browserRouteFor, html, type Standing, type TenantDirectory } from '@reeve/service-kit';
import { type Clock, DuplicateKeyError, type TenantCollection } from '@reeve/store';
import { z } from 'zod';
import { type Catalogue, consentEnd, originsOf } from '../catalogue/catalogue.ts';
import type { ThirdParty } from '../connections/third-party.ts';
import type { Installation, Installations } from '../installations/installation.ts';
import {
  type Answer,
  asOneText,
  type Consent,
  type Consents,
  consentId,
  consentText,
  deny,
  grant,
  personKey,
  revoke,
} from './consent.ts';

type ConsentRequest = { tenantId: TenantId; installationId: Id<'installation'>; installation: Installation };
type FindConsentRequest = (requestId: string) => Promise<ConsentRequest>;

type PageParts = {
  findConsentRequest: FindConsentRequest;
  catalogue: Catalogue;
  tenants: Pick<TenantDirectory, 'find'>;
  clock: Clock;
};
type AnswerParts = PageParts & {
  installations: Installations;
  consents: Consents;
  thirdParty: Pick<ThirdParty, 'begin'>;
  standing: Pick<Standing, 'personOf'>;
};

const path = '/consent/{consentRequestId}' as const;

/**
 * What it gives throws `consent_expired` for a request that is unknown, over or too old: a stranger learns no more.
 */
export function createFindConsentRequest(parts: { installations: Installations; clock: Clock }): FindConsentRequest {
  const all = parts.installations.acrossTenants('a consent page is opened by its id, before anybody is signed in');
  return async requestId => {
    const found = await all.getByUnique('consentRequest', requestId);
    const { status, consentUntil = null } = found?.state ?? {};
    const isOpen = status === 'approved' && consentUntil !== null && consentUntil > parts.clock.now().toISOString();
    if (!found || !isOpen || !isId('installation', found.id)) throw new ProblemError('consent_expired');
    return { tenantId: found.tenantId, installationId: found.id, installation: found.state };
  };
}

async function readPage(
  { findConsentRequest, catalogue, tenants, clock }: PageParts,
  requestId: string,
  { name: person }: SignedIn,
) {
  const request = await findConsentRequest(requestId);
  const connector = catalogue.get(request.installation.connectorId);
  const tenant = (await tenants.find(request.tenantId))?.slug ?? request.tenantId;
  const until = consentEnd(connector, clock.now());
  const textFor = (scopes: readonly string[]) => consentText({ connector, tenant, person, scopes, until });
  return { ...request, connector, until, textFor };
}

export const showConsent = (parts: PageParts) =>
  browserRouteFor<SignedIn>()({
    method: 'get',
    path,
    summary: 'The page that asks a person whether a connector may act for them',
    action: 'consents:read',
    async handle({ params: { consentRequestId }, principal }) {
      const { connector, installation, textFor } = await readPage(parts, consentRequestId, principal);
      const { who, able, unable, until } = textFor(installation.scopes);
      const choice = ({ scope, meaning }: { scope: string; meaning: string }) =>
        html`<label><input type="checkbox" name="scope" value="${scope}" checked> ${meaning}</label>`;
      const content = html`<p>${who}</p>
<form method="post">${principal.csrfField}
<fieldset><legend>It will be able to</legend>${able.map(choice)}</fieldset>
<ul>${[...unable, until].map(line => html`<li>${line}</li>`)}</ul>
<button class="primary" name="answer" value="allow">Allow</button>
<button name="answer" value="deny">Do not allow</button></form>
<p class="muted">Signed in as ${principal.name}.</p>`;
      return { page: { title: `Connect ${connector.name}?`, content, formAction: originsOf(connector) } };
    },
  });

const form = z.strictObject({
  answer: z.enum(['allow', 'deny']),
  scope: z
    .union([z.string(), z.array(z.string())])
    .default([])
    .transform(scope => [scope].flat()),
});

export const answerConsent = (parts: AnswerParts) =>
  browserRouteFor<SignedIn>()({
    method: 'post',
    path,
    summary: 'What the person answers; whoever allows it is sent on to the third party',
    action: 'consents:write',
    body: form,
    async handle({ params: { consentRequestId }, body: { answer, scope: chosen }, principal, cause }) {
      const asked = await readPage(parts, consentRequestId, principal);
      const { tenantId, installationId, installation, connector, until, textFor } = asked;
      if (!chosen.every(scope => installation.scopes.includes(scope))) throw new ProblemError('scope_unknown');
      const { userId, browserSessionId } = principal;
      // In the order in which they were asked for, and each once.
      const scopes = installation.scopes.filter(scope => chosen.includes(scope));
      const isAllowed = answer === 'allow' && scopes.length > 0;
      const given: Answer = {
        installationId,
        userId,
        connectorName: connector.name,
        scopes,
        text: asOneText(textFor(scopes)),
        answeredAt: parts.clock.now().toISOString(),
        until: until.toISOString(),
      };
      const consents = parts.consents.in(tenantId);
      const { id, version } = await saveAnswer(consents, given, { decide: isAllowed ? grant : deny, cause });
      if (!isAllowed) {
        const content = html`<p>You did not allow ${connector.name} to act for you. You can close this window.</p>`;
        return { page: { title: 'Nothing was connected', content } };
      }
      const ended = await endedMeanwhile(parts, { tenantId, installationId, userId });
      if (ended) {
        const ofService = serviceCause('connector-consent', { correlationId: cause.correlationId });
        await consents.change(id, consent => consent && revoke(id, consent, ended), { cause: ofService });
        throw new ProblemError(ended === 'uninstalled' ? 'consent_expired' : 'user_deactivated');
      }
      const sentFor = { browserSessionId, tenantId, installationId, consentId: id, consentVersion: version };
      return { redirect: await parts.thirdParty.begin(connector, scopes, sentFor) };
    },
  });

/**
 * Whether what the consent rests on has ended: whoever ends consents for that may have looked for them before this one
 * was there.
 */
async function endedMeanwhile(
  { installations, standing }: Pick<AnswerParts, 'installations' | 'standing'>,
  { tenantId, installationId, userId }: { tenantId: TenantId; installationId: Id<'installation'>; userId: Id<'user'> },
): Promise<ReasonOf<'consent.revoked'> | null> {
  const installation = await installations.in(tenantId).get(installationId);
  if (installation?.state.status === 'uninstalled') return 'uninstalled';
  const person = await standing.personOf(tenantId, userId);
  return person && person.status !== 'active' ? `user_${person.status}` : null;
}

/**
 * One consent per person and installation: whoever answers again replaces the answer, and of two answers at once the
 * later one stays.
 */
async function saveAnswer(
  consents: TenantCollection<Consent>,
  answer: Answer,
  { decide, cause }: { decide: typeof grant; cause: Cause },
): Promise<{ id: Id<'consent'>; version: number }> {
  for (;;) {
    const found = await consents.getByUnique('person', personKey(answer));
    const id = found ? consentId(found) : newId('consent');
    try {
      const saved = await consents.change(id, () => decide(id, answer), { cause });
      if (saved) return { id, version: saved.version };
    } catch (error) {
      // Another tab was faster: now there is one to replace.
      if (found || !(error instanceof DuplicateKeyError)) throw error;
    }
  }
}
