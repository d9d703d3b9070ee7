import type { SignedIn } from '@reeve/browser-session';
import { type Cause, type Id, newId, ProblemError, type ReasonOf, serviceCause, type TenantId } from '@reeve/contracts';
import { browserRouteFor, html, type Standing } from '@reeve/service-kit';
import { type Clock, DuplicateKeyError, type TenantCollection } from '@reeve/store';
import { z } from 'zod';
import { type PendingConnections, pendingConnectionMs } from '../connections/pending-connection.ts';
import type { ThirdParty } from '../connections/third-party.ts';
import type { Installations } from '../installations/installation.ts';
import { asOneText, type ReadAskedConsent } from './asked-consent.ts';
import { type Answer, type Consent, type Consents, consentId, deny, grant, personKey, revoke } from './consent.ts';

type Parts = {
  readAskedConsent: ReadAskedConsent;
  installations: Installations;
  consents: Consents;
  pendingConnections: PendingConnections;
  thirdParty: ThirdParty;
  standing: Pick<Standing, 'personOf'>;
  clock: Clock;
};

const form = z.strictObject({
  answer: z.enum(['allow', 'deny']),
  scope: z
    .union([z.string(), z.array(z.string())])
    .default([])
    .transform(scope => [scope].flat()),
});

export const answerConsent = (parts: Parts) =>
  browserRouteFor<SignedIn>()({
    method: 'post',
    path: '/consent/{consentRequestId}',
    summary: 'What the person answers; whoever allows it is sent on to the third party',
    action: 'consents:write',
    body: form,
    async handle({ params: { consentRequestId }, body: { answer, scope: chosen }, principal, cause }) {
      const asked = await parts.readAskedConsent(consentRequestId, principal);
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
      const { url, pending } = await parts.thirdParty.begin(connector, scopes);
      const connection = {
        browserSessionId,
        tenantId,
        installationId,
        consentId: id,
        consentVersion: version,
        pending,
      };
      const expiresAt = new Date(parts.clock.now().getTime() + pendingConnectionMs);
      await parts.pendingConnections.put(pending.state, connection, expiresAt);
      return { redirect: url };
    },
  });

/**
 * Whether what the consent rests on has ended: whoever ends consents for that may have looked for them before this one
 * was there.
 */
async function endedMeanwhile(
  { installations, standing }: Pick<Parts, 'installations' | 'standing'>,
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
