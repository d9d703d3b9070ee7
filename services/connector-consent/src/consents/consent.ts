// A person's consent to a connector: to which scopes, until when, and the exact text that was shown. One per person
// and installation. What rests on it (delegated-tokens/) ends by its events.
import { createHash } from 'node:crypto';
import { event, type Id, type ReasonOf } from '@reeve/contracts';
import { type Collections, collection, type Decision, type Entry } from '@reeve/store';
import { z } from 'zod';
import type { Connector } from '../catalogue/catalogue.ts';

export type Consent = {
  installationId: Id<'installation'>;
  userId: Id<'user'>;
  connectorName: string;
  scopes: string[];
  text: string;
  status: 'granted' | 'denied' | 'revoked';
  answeredAt: string;
  /** The last moment it counts. Checked where it is used. */
  until: string;
};

export type Consents = Collections<Consent>;

/** What a person says on a consent page. */
export type Answer = Omit<Consent, 'status'>;

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

export const personKey = ({ installationId, userId }: Pick<Consent, 'installationId' | 'userId'>): string =>
  `${installationId}|${userId}`;

export const consents = collection<Consent>({
  name: 'consents',
  unique: { person: personKey },
  queries: { byInstallation: { equality: ['installationId'] }, byUser: { equality: ['userId'] } },
});

export const consentId = ({ id }: Pick<Entry<Consent>, 'id'>): Id<'consent'> => id as Id<'consent'>;

export const isInForce = ({ status, until }: Consent, now: Date): boolean =>
  status === 'granted' && until > now.toISOString();

export function viewOf({ id, state }: Entry<Consent>, now: Date): z.infer<typeof consentView> {
  const hasExpired = state.status === 'granted' && !isInForce(state, now);
  return { id, ...state, status: hasExpired ? 'expired' : state.status };
}

const about = (id: Id<'consent'>, { installationId, userId, scopes, connectorName }: Consent) => ({
  id,
  name: connectorName,
  details: { installationId, userId, scopes },
});

export function grant(id: Id<'consent'>, answer: Answer): NonNullable<Decision<Consent>> {
  const state: Consent = { ...answer, status: 'granted' };
  const { details, ...target } = about(id, state);
  const textSha256 = createHash('sha256').update(state.text).digest('hex');
  const granted = { ...details, expiresAt: state.until, textSha256 };
  return { state, events: [event('consent.granted', { ...target, because: 'person_agreed', details: granted })] };
}

export function deny(id: Id<'consent'>, answer: Answer): NonNullable<Decision<Consent>> {
  const state: Consent = { ...answer, status: 'denied' };
  return { state, events: [event('consent.denied', { ...about(id, state), because: 'person_refused' })] };
}

/** Nothing to do for one that is not granted. */
export function revoke(id: Id<'consent'>, consent: Consent, why: ReasonOf<'consent.revoked'>): Decision<Consent> {
  if (consent.status !== 'granted') return null;
  const state: Consent = { ...consent, status: 'revoked' };
  const { details, ...target } = about(id, state);
  return {
    state,
    events: [event('consent.revoked', { ...target, because: why, details: { ...details, cause: why } })],
  };
}

type ConsentText = { who: string; able: { scope: string; meaning: string }[]; unable: string[]; until: string };

/** The sentences of the page, which are also what is recorded. */
export function consentText({
  connector: { name, publisher, scopes: offered, cannot },
  tenant,
  person,
  scopes,
  until,
}: {
  connector: Connector;
  tenant: string;
  person: string;
  scopes: readonly string[];
  until: Date;
}): ConsentText {
  const day = until.toISOString().slice(0, 10);
  return {
    who: `${name} by ${publisher} asks for access on behalf of ${person} in ${tenant}.`,
    able: offered.filter(({ id }) => scopes.includes(id)).map(({ id, meaning }) => ({ scope: id, meaning })),
    unable: cannot.map(what => `It will not be able to: ${what}.`),
    until: `The access ends on ${day} at the latest. You or an administrator can end it at any time.`,
  };
}

export const asOneText = ({ who, able, unable, until }: ConsentText): string =>
  [who, ...able.map(({ meaning }) => `It will be able to: ${meaning}.`), ...unable, until].join('\n');
