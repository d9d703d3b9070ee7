// A security event token (SET, RFC 8417) of an identity provider, in the profiles of Shared Signals: CAEP and RISC.
// Here is what it may look like, and which of its events means that a person's sessions are over. Pure.
import { textSchema } from '@reeve/contracts';
import type { JWTPayload } from 'jose';
import { z } from 'zod';
import { type Subject, subjectSchema } from './subject.ts';

export const securityEventType = 'secevent+jwt';

const caep = 'https://schemas.openid.net/secevent/caep/event-type';
const risc = 'https://schemas.openid.net/secevent/risc/event-type';

/** What they say ends sessions. Others are taken, and nothing follows from them: a receiver need not know them. */
const endings: ReadonlySet<string> = new Set([
  `${caep}/session-revoked`,
  `${risc}/sessions-revoked`,
  `${risc}/account-disabled`,
  `${risc}/account-purged`,
  `${risc}/credential-compromise`,
]);

/** RFC 8935 §2.4: what a transmitter is told, in codes that are registered. */
export type SetError = 'invalid_request' | 'invalid_key' | 'invalid_issuer' | 'invalid_audience';

export class SecurityEventError extends Error {
  readonly code: SetError;

  constructor(code: SetError, description: string, options: { cause?: unknown } = {}) {
    super(description, options);
    this.name = 'SecurityEventError';
    this.code = code;
  }
}

const skewSeconds = 60;
/** A transmitter tries again for a while. */
export const oldestSeconds = 7 * 86_400;

const seconds = z.number().nonnegative();
const claimsSchema = z.looseObject({
  iss: textSchema(500),
  aud: z.union([z.string(), z.array(z.string()).max(20)]),
  jti: textSchema(200),
  iat: seconds,
  events: z.record(z.string(), z.looseObject({ event_timestamp: seconds.exactOptional() })),
  sub_id: z.looseObject({ format: z.string() }).exactOptional(),
});

/** Keycloak names all sessions of a person so where an administrator ends them. No provider calls one of them that. */
const allSessions = 'ALL';

/** A person, or a session of theirs at the provider. */
type Whose = { subject: Subject; sessionId: string | null };

type SecurityEvent = {
  jti: string;
  uri: string;
  /** When it was so at the provider. */
  at: Date;
  /** Null for nobody whom we could know: a device, somebody in a form of which we have no word. */
  whose: Whose | null;
  endsSessions: boolean;
};

type Expected = { issuer: string; audiences: readonly string[]; now: Date };

/** Of claims that were verified. Throws SecurityEventError. */
export function securityEventIn(claims: JWTPayload, { issuer, audiences, now }: Expected): SecurityEvent {
  const refused = (what: string) => new SecurityEventError('invalid_request', what);
  // RFC 8417 §2.2, SSF §4.1: by these it could be taken for an ID token, and an ID token for it.
  for (const name of ['exp', 'sub', 'nonce'])
    if (Object.hasOwn(claims, name)) throw refused(`a security event has no ${name}`);
  const { success, data, error } = claimsSchema.safeParse(claims);
  if (!success) throw refused(`${error.issues[0]?.path.join('.') ?? 'it'} is missing or of another form`);
  const { iss, aud, jti, iat, events, sub_id: named } = data;
  if (iss !== issuer) throw new SecurityEventError('invalid_issuer', 'it is of another issuer than the connection');
  if (![aud].flat().some(one => audiences.includes(one)))
    throw new SecurityEventError('invalid_audience', 'it is for somebody else');
  const [[uri, event] = [null, {}], ...others] = Object.entries(events);
  if (uri === null || others.length > 0) throw refused('events has to hold exactly one');
  const now_ = now.getTime() / 1_000;
  if (iat > now_ + skewSeconds) throw refused('iat is to come');
  if (iat < now_ - oldestSeconds) throw refused('iat is too long ago');
  // By a clock that is ahead nobody is kept from signing in until it is that late.
  const at = Math.min(event.event_timestamp ?? iat, iat, now_);
  return {
    jti,
    uri,
    at: new Date(at * 1_000),
    whose: named ? whoseIs(named) : null,
    endsSessions: endings.has(uri),
  };
}

const complexSchema = z.strictObject({
  format: z.literal('complex'),
  user: subjectSchema,
  session: z.strictObject({ format: z.literal('opaque'), id: textSchema(500) }).exactOptional(),
  // Of the provider, which is that of the connection.
  tenant: z.looseObject({ format: z.string() }).exactOptional(),
});

/** SSF §3: all members of a complex subject have to be meant. One that is not known here might narrow it. */
function whoseIs(named: object): Whose | null {
  const simple = subjectSchema.safeParse(named);
  if (simple.success) return { subject: simple.data, sessionId: null };
  const complex = complexSchema.safeParse(named);
  if (!complex.success) return null;
  const { user, session } = complex.data;
  return { subject: user, sessionId: !session || session.id === allSessions ? null : session.id };
}

/** A session that began after it was so is not meant: its person has signed in once more since. */
export const hadBegunBy = (at: Date, signedInAt: string): boolean =>
  Date.parse(signedInAt) <= at.getTime() + skewSeconds * 1_000;
