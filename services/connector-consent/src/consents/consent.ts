// A person's consent to a connector: to which scopes, until when, and the exact text that was shown. One per person and installation.
import { createHash } from 'node:crypto';
import { because, type EventDraft } from '@reeve/contracts';
import type { Collections, Decision, Entry, Store } from '@reeve/store';
import { z } from 'zod';
import type { Connector } from '../catalogue/catalogue.ts';

export type Consent = {
  installationId: string;
  userId: string;
  connectorName: string;
  scopes: string[];
  text: string;
  status: 'granted' | 'denied' | 'revoked';
  answeredAt: string;
  /** The last moment it counts. Checked where it is used. */
  until: string;
};

export type Consents = Collections<Consent>;
export type RevocationCause = 'requested' | 'user_deactivated' | 'uninstalled';

export const consentView = z.object({
  id: z.string(),
  installationId: z.string(),
  userId: z.string(),
  connectorName: z.string(),
  scopes: z.array(z.string()),
  text: z.string(),
  status: z.enum(['granted', 'denied', 'revoked', 'expired']),
  answeredAt: z.string(),
  until: z.string(),
});

export function defineConsents(store: Store): Consents {
  return store.collections<Consent>({
    name: 'consents',
    unique: { person: ({ installationId, userId }) => `${installationId}|${userId}` },
    queries: { byInstallation: { equality: ['installationId'] }, byUser: { equality: ['userId'] } },
  });
}

export function viewOf({ id, state }: Entry<Consent>, now: Date): z.infer<typeof consentView> {
  const expired = state.status === 'granted' && state.until <= now.toISOString();
  return { id, ...state, status: expired ? 'expired' : state.status };
}

export type Shown = { connector: Connector; tenant: string; person: string; scopes: readonly string[]; until: Date };

/** The sentences of the consent screen, which are also what is recorded. */
export function consentText({ connector, tenant, person, scopes, until }: Shown): string[] {
  const meanings = connector.scopes
    .filter(({ id }) => scopes.includes(id))
    .map(({ meaning }) => `It will be able to: ${meaning}.`);
  return [
    `${connector.name} by ${connector.publisher} asks for access on behalf of ${person} in ${tenant}.`,
    ...meanings,
    ...connector.cannot.map(cannot => `It will not be able to: ${cannot}.`),
    `The access ends on ${until.toISOString().slice(0, 10)} at the latest. You or an administrator can end it at any time.`,
  ];
}

const target = (id: string, { connectorName }: Consent) => ({ type: 'consent', id, name: connectorName });
const described = ({ installationId, userId, scopes }: Consent) => ({ installationId, userId, scopes });

export function grant(id: string, answer: Omit<Consent, 'status'>): NonNullable<Decision<Consent>> {
  const state: Consent = { ...answer, status: 'granted' };
  const textSha256 = createHash('sha256').update(state.text).digest('hex');
  const details = { ...described(state), expiresAt: state.until, textSha256 };
  const event: EventDraft = {
    type: 'consent.granted',
    target: target(id, state),
    outcome: 'success',
    reason: because('person_agreed'),
    details,
  };
  return { state, events: [event] };
}

export function deny(id: string, answer: Omit<Consent, 'status'>): NonNullable<Decision<Consent>> {
  const state: Consent = { ...answer, status: 'denied' };
  return {
    state,
    events: [
      {
        type: 'consent.denied',
        target: target(id, state),
        outcome: 'denied',
        reason: because('person_refused'),
        details: described(state),
      },
    ],
  };
}

export function revoke(id: string, consent: Consent, cause: RevocationCause): Decision<Consent> {
  if (consent.status !== 'granted') return null;
  const state: Consent = { ...consent, status: 'revoked' };
  const details = { ...described(state), cause };
  return {
    state,
    events: [
      { type: 'consent.revoked', target: target(id, state), outcome: 'success', reason: because(cause), details },
    ],
  };
}
