// What relying parties are told by Shared Signals: which of our events become which security event (CAEP, RISC), and
// about whom. Pure.
import type { Actor, Id } from '@reeve/contracts';

const caep = 'https://schemas.openid.net/secevent/caep/event-type';
const risc = 'https://schemas.openid.net/secevent/risc/event-type';
const ssf = 'https://schemas.openid.net/secevent/ssf/event-type';

export const sessionRevoked = `${caep}/session-revoked`;
const tokenClaimsChange = `${caep}/token-claims-change`;
const credentialChange = `${caep}/credential-change`;
export const accountDisabled = `${risc}/account-disabled`;
export const accountEnabled = `${risc}/account-enabled`;
export const accountPurged = `${risc}/account-purged`;
const verification = `${ssf}/verification`;

/** Of a stream's choice: what is about the stream itself comes in any case. */
export const eventsSupported: readonly string[] = [
  sessionRevoked,
  tokenClaimsChange,
  credentialChange,
  accountDisabled,
  accountEnabled,
  accountPurged,
];

type SubjectId = { format: string } & Record<string, unknown>;

/** A security event, but for whom it is said to. */
export type Said = { uri: string; event: Record<string, unknown>; subId: SubjectId };

type Happened = { time: string; actor: Pick<Actor, 'type'>; because: string };

const initiators: Record<Actor['type'], string> = {
  user: 'user',
  client: 'admin',
  service: 'system',
  identity_provider: 'policy',
  stranger: 'system',
};

/** CAEP §2, and what the interoperability profile wants of it. */
const told = ({ time, actor, because }: Happened) => ({
  event_timestamp: Math.floor(Date.parse(time) / 1_000),
  initiating_entity: initiators[actor.type],
  reason_admin: { en: because },
});

const personId = (issuer: string, userId: Id<'user'>): SubjectId => ({
  format: 'iss_sub',
  iss: issuer,
  sub: userId,
});

/** About one session: a subject with the person alone would say that all of theirs are over. */
export function sessionOver(issuer: string, of: { userId: Id<'user'>; sessionId: string }, happened: Happened): Said {
  const user = personId(issuer, of.userId);
  const session = { format: 'opaque', id: of.sessionId };
  return { uri: sessionRevoked, event: told(happened), subId: { format: 'complex', user, session } };
}

export const claimsChanged = (
  issuer: string,
  of: { userId: Id<'user'>; claims: Record<string, unknown> },
  happened: Happened,
): Said => ({
  uri: tokenClaimsChange,
  event: { ...told(happened), claims: of.claims },
  subId: personId(issuer, of.userId),
});

/** Of those that CAEP §3.3 has a name for. Whether a passkey can leave its device is not known to us. */
const credentialTypes: Record<string, string> = { passkey: 'fido2-platform', totp: 'app' };

/** Null for a factor that CAEP does not know, as codes on paper. */
export function credentialChanged(
  issuer: string,
  of: { userId: Id<'user'>; kind: string; change: 'create' | 'delete' },
  happened: Happened,
): Said | null {
  const type = credentialTypes[of.kind];
  if (type === undefined) return null;
  const event = { ...told(happened), credential_type: type, change_type: of.change };
  return { uri: credentialChange, event, subId: personId(issuer, of.userId) };
}

/** RISC §2 has no `event_timestamp` of its own. The reason of `account-disabled` is optional, and ours are none of its. */
export const accountChanged = (issuer: string, uri: string, userId: Id<'user'>): Said => ({
  uri,
  event: {},
  subId: personId(issuer, userId),
});

/** SSF §8.1.4: about the stream itself. */
export const verified = (streamId: string, state: string | undefined): Said => ({
  uri: verification,
  event: state === undefined ? {} : { state },
  subId: { format: 'opaque', id: streamId },
});
