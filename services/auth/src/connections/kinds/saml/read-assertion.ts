// What a signed assertion says, read from the signed bytes and nothing else, and whether it says it to us, now, and in
// answer to our request (SAML Profiles §4.1.4.3).
import { StepError } from '@reeve/relying-party';
import { bearer, ns } from './names.ts';
import type { Expected } from './read-response.ts';
import {
  attributeOf,
  childNamed,
  childrenNamed,
  elementsOf,
  isNamed,
  parseXmlText,
  textOf,
  trimmed,
  type XmlElement,
} from './xml.ts';

export type Asserted = {
  assertionId: string;
  nameId: string;
  nameIdFormat: string | null;
  nameQualifier: string | null;
  spNameQualifier: string | null;
  /** Values by name, in the order in which they stand. */
  attributes: Record<string, string[]>;
  authenticatedAt: string;
  authnContext: string | null;
  sessionIndex: string | null;
  /** When the provider wants the session to be over; null where it does not say. */
  sessionEndsAt: string | null;
  /** From then on nobody takes the assertion any more, so that it need not be remembered longer. */
  usableUntil: Date;
};

export const skewMs = 60_000;
/** However long an assertion says that it counts, a sign-in that it answers is over by then. */
const longestMs = 3_600_000;
const knownConditions: readonly string[] = ['AudienceRestriction', 'OneTimeUse', 'ProxyRestriction'];
const mostAttributes = 200;
const mostValues = 1_000;

/** Throws StepError, or XmlError where it is not built as an assertion is. */
export function readAssertion(text: string, expected: Expected, now: Date): Asserted {
  const assertion = parseXmlText(text);
  const assertionId = attributeOf(assertion, 'ID');
  if (!isNamed(assertion, ns.assertion, 'Assertion') || attributeOf(assertion, 'Version') !== '2.0' || !assertionId)
    throw new StepError('saml_malformed');
  const issuer = childNamed(assertion, ns.assertion, 'Issuer');
  const said = issuer && textOf(issuer);
  if (said !== expected.idpEntityId)
    throw new StepError('saml_issuer', { seen: { expected: expected.idpEntityId, found: said } });
  const clock = { earliest: now.getTime() - skewMs, latest: now.getTime() + skewMs };
  const conditionsUntil = checkConditions(assertion, expected, clock);
  const { name, confirmedUntil } = readSubject(assertion, expected, clock);
  return {
    assertionId,
    ...name,
    ...readAuthentication(assertion, clock),
    attributes: readAttributes(assertion),
    usableUntil: new Date(Math.min(confirmedUntil, conditionsUntil ?? confirmedUntil) + skewMs),
  };
}

type Clock = { earliest: number; latest: number };

/** RFC 3339 with `Z`, as SAML Core §1.3.3 has it. */
function timeOf(element: XmlElement, name: string): number | null {
  const said = attributeOf(element, name);
  if (said === null) return null;
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)$/.test(said) ? Date.parse(said) : Number.NaN;
  if (Number.isNaN(time)) throw new StepError('saml_time');
  return time;
}

function assertWithin(from: number | null, until: number | null, { earliest, latest }: Clock): void {
  const seen = { now: earliest + skewMs, from, until };
  if (from !== null && from > latest) throw new StepError('saml_time', { seen: { problem: 'not_yet', ...iso(seen) } });
  if (until !== null && until <= earliest)
    throw new StepError('saml_time', { seen: { problem: 'over', ...iso(seen) } });
}

const iso = (times: Record<string, number | null>) =>
  Object.fromEntries(
    Object.entries(times).map(([name, time]) => [name, time === null ? null : new Date(time).toISOString()]),
  );

function checkConditions(assertion: XmlElement, { spEntityId }: Expected, clock: Clock): number | null {
  const conditions = childNamed(assertion, ns.assertion, 'Conditions');
  if (!conditions) throw new StepError('saml_conditions');
  const until = timeOf(conditions, 'NotOnOrAfter');
  assertWithin(timeOf(conditions, 'NotBefore'), until, clock);
  // SAML Core §2.5.1: what we do not know may be what speaks against us. Each counts once anyway.
  if (elementsOf(conditions).some(one => !knownConditions.includes(one.localName)))
    throw new StepError('saml_conditions');
  const restrictions = childrenNamed(conditions, ns.assertion, 'AudienceRestriction');
  const isForUs = (restriction: XmlElement) =>
    childrenNamed(restriction, ns.assertion, 'Audience').map(textOf).includes(spEntityId);
  if (restrictions.length === 0 || !restrictions.every(isForUs)) {
    const found = restrictions.map(one => (one.textContent ?? '').trim()).join(' ');
    throw new StepError('saml_audience', { seen: { expected: spEntityId, found: found || null } });
  }
  return until;
}

function readSubject(assertion: XmlElement, expected: Expected, clock: Clock) {
  const subject = childNamed(assertion, ns.assertion, 'Subject');
  const named = subject && childNamed(subject, ns.assertion, 'NameID');
  if (!subject || !named) throw new StepError('saml_subject');
  const nameId = textOf(named);
  const spNameQualifier = attributeOf(named, 'SPNameQualifier');
  if (nameId === '' || (spNameQualifier ?? expected.spEntityId) !== expected.spEntityId)
    throw new StepError('saml_subject');
  const confirmations = childrenNamed(subject, ns.assertion, 'SubjectConfirmation').filter(
    confirmation => attributeOf(confirmation, 'Method') === bearer,
  );
  const [confirmation, ...others] = confirmations;
  if (!confirmation || others.length > 0) throw new StepError('saml_subject');
  const confirmedUntil = checkConfirmation(confirmation, expected, clock);
  const nameQualifier = attributeOf(named, 'NameQualifier');
  const nameIdFormat = attributeOf(named, 'Format');
  return { name: { nameId, nameIdFormat, nameQualifier, spNameQualifier }, confirmedUntil };
}

function checkConfirmation(confirmation: XmlElement, { acsUrl, requestId }: Expected, clock: Clock): number {
  const said = childNamed(confirmation, ns.assertion, 'SubjectConfirmationData');
  if (!said) throw new StepError('saml_subject');
  const recipient = attributeOf(said, 'Recipient');
  if (recipient !== acsUrl)
    throw new StepError('saml_destination', { seen: { expected: acsUrl, found: recipient, where: 'Recipient' } });
  const answered = attributeOf(said, 'InResponseTo');
  if (answered !== requestId)
    throw new StepError('saml_response_to', { seen: { expected: requestId, found: answered, where: 'Assertion' } });
  const until = timeOf(said, 'NotOnOrAfter');
  if (until === null || attributeOf(said, 'NotBefore') !== null) throw new StepError('saml_subject');
  assertWithin(null, until, clock);
  return Math.min(until, clock.latest + longestMs);
}

function readAuthentication(assertion: XmlElement, clock: Clock) {
  const statement = childrenNamed(assertion, ns.assertion, 'AuthnStatement')[0];
  const at = statement && timeOf(statement, 'AuthnInstant');
  if (!statement || at === null || at === undefined) throw new StepError('saml_authentication');
  const ends = timeOf(statement, 'SessionNotOnOrAfter');
  assertWithin(at, ends, clock);
  const context = childNamed(statement, ns.assertion, 'AuthnContext');
  const reference = context && childNamed(context, ns.assertion, 'AuthnContextClassRef');
  return {
    authenticatedAt: new Date(at).toISOString(),
    sessionEndsAt: ends === null ? null : new Date(ends).toISOString(),
    sessionIndex: attributeOf(statement, 'SessionIndex'),
    authnContext: reference ? textOf(reference) || null : null,
  };
}

/**
 * What is no text, as a nested identifier, stands as an empty one: no attribute that we map is of that kind, and what
 * has several values is not to look as if it had one.
 */
function readAttributes(assertion: XmlElement): Record<string, string[]> {
  const found = childrenNamed(assertion, ns.assertion, 'AttributeStatement')
    .flatMap(statement => childrenNamed(statement, ns.assertion, 'Attribute'))
    .slice(0, mostAttributes);
  const attributes = new Map<string, string[]>();
  for (const attribute of found) {
    const name = attributeOf(attribute, 'Name');
    if (name === null) continue;
    const values = childrenNamed(attribute, ns.assertion, 'AttributeValue').map(value =>
      elementsOf(value).length === 0 ? trimmed(value.textContent ?? '') : '',
    );
    attributes.set(name, [...(attributes.get(name) ?? []), ...values].slice(0, mostValues));
  }
  return Object.fromEntries(attributes);
}
