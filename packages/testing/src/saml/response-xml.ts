// A samlp:Response as XML, from what it says. An honest one says what SAML profiles §4.1.4.2 asks for; each part can be
// replaced or left out, so that a lie differs from it in one thing.
import { confirmationMethods, namespaces, passwordContext, statuses } from './names.ts';
import { element, escapeXml } from './xml.ts';

type Part =
  | 'Assertion'
  | 'Subject'
  | 'NameID'
  | 'SubjectConfirmation'
  | 'SubjectConfirmationData'
  | 'Conditions'
  | 'AuthnStatement';

/** What a response says. Null leaves an attribute or an issuer out. Times are written as they are given. */
export type Said = {
  responseId: string;
  responseVersion: string;
  responseIssuer: string | null;
  responseIssueInstant: string;
  destination: string | null;
  inResponseTo: string | null;
  status: string;
  subStatus: string | null;
  assertionId: string;
  assertionVersion: string;
  assertionIssuer: string | null;
  assertionIssueInstant: string;
  nameId: string;
  nameIdFormat: string | null;
  nameQualifier: string | null;
  spNameQualifier: string | null;
  confirmationMethod: string;
  recipient: string | null;
  confirmationInResponseTo: string | null;
  confirmationNotBefore: string | null;
  confirmationNotOnOrAfter: string | null;
  notBefore: string | null;
  notOnOrAfter: string | null;
  /** Each list is an AudienceRestriction, of which all have to match; within one it is enough that one does. */
  audiences: readonly (readonly string[])[];
  oneTimeUse: boolean;
  proxyCount: number | null;
  authnInstant: string;
  authnContext: string;
  sessionIndex: string | null;
  sessionNotOnOrAfter: string | null;
  attributes: Record<string, string | readonly string[]>;
  /** Elements that are not there. */
  without: readonly Part[];
};

/** Who is signed in at the identity provider. */
export type Person = Pick<Said, 'nameId' | 'nameIdFormat' | 'attributes'> &
  Partial<Pick<Said, 'sessionIndex' | 'authnInstant' | 'authnContext' | 'sessionNotOnOrAfter'>>;

export const isoTime = (ms: number) => new Date(ms).toISOString();

export function responseXml(said: Said): string {
  return element(
    'samlp:Response',
    {
      'xmlns:samlp': namespaces.protocol,
      'xmlns:saml': namespaces.assertion,
      ID: said.responseId,
      Version: said.responseVersion,
      IssueInstant: said.responseIssueInstant,
      Destination: said.destination,
      InResponseTo: said.inResponseTo,
    },
    issuer(said.responseIssuer),
    statusXml(said),
    said.without.includes('Assertion') ? null : assertionXml(said),
  );
}

export const issuer = (name: string | null) => (name === null ? '' : element('saml:Issuer', {}, escapeXml(name)));

export function statusXml({ status, subStatus }: Pick<Said, 'status' | 'subStatus'>): string {
  const inner = subStatus === null ? null : element('samlp:StatusCode', { Value: subStatus });
  return element('samlp:Status', {}, element('samlp:StatusCode', { Value: status }, inner));
}

/** Stands on its own: it declares its namespaces, so that it can be moved, signed and encrypted. */
function assertionXml(said: Said): string {
  const has = (part: Part) => !said.without.includes(part);
  return element(
    'saml:Assertion',
    {
      'xmlns:saml': namespaces.assertion,
      ID: said.assertionId,
      Version: said.assertionVersion,
      IssueInstant: said.assertionIssueInstant,
    },
    issuer(said.assertionIssuer),
    has('Subject') ? subject(said, has) : null,
    has('Conditions') ? conditions(said) : null,
    has('AuthnStatement') ? authnStatement(said) : null,
    attributeStatement(said),
  );
}

function subject(said: Said, has: (part: Part) => boolean): string {
  const nameId = element(
    'saml:NameID',
    { Format: said.nameIdFormat, NameQualifier: said.nameQualifier, SPNameQualifier: said.spNameQualifier },
    escapeXml(said.nameId),
  );
  const confirmationData = element('saml:SubjectConfirmationData', {
    InResponseTo: said.confirmationInResponseTo,
    NotBefore: said.confirmationNotBefore,
    NotOnOrAfter: said.confirmationNotOnOrAfter,
    Recipient: said.recipient,
  });
  const confirmation = element(
    'saml:SubjectConfirmation',
    { Method: said.confirmationMethod },
    has('SubjectConfirmationData') ? confirmationData : null,
  );
  return element('saml:Subject', {}, has('NameID') ? nameId : null, has('SubjectConfirmation') ? confirmation : null);
}

function conditions(said: Said): string {
  const restrictions = said.audiences.map(audiences =>
    element(
      'saml:AudienceRestriction',
      {},
      ...audiences.map(audience => element('saml:Audience', {}, escapeXml(audience))),
    ),
  );
  return element(
    'saml:Conditions',
    { NotBefore: said.notBefore, NotOnOrAfter: said.notOnOrAfter },
    ...restrictions,
    said.oneTimeUse ? element('saml:OneTimeUse', {}) : null,
    said.proxyCount === null ? null : element('saml:ProxyRestriction', { Count: String(said.proxyCount) }),
  );
}

function authnStatement(said: Said): string {
  const classRef = element('saml:AuthnContextClassRef', {}, escapeXml(said.authnContext));
  return element(
    'saml:AuthnStatement',
    {
      AuthnInstant: said.authnInstant,
      SessionIndex: said.sessionIndex,
      SessionNotOnOrAfter: said.sessionNotOnOrAfter,
    },
    element('saml:AuthnContext', {}, classRef),
  );
}

function attributeStatement({ attributes }: Said): string | null {
  const all = Object.entries(attributes).map(([name, values]) => {
    const format = /^(?:urn:|https?:)/.test(name) ? 'uri' : 'basic';
    return element(
      'saml:Attribute',
      { Name: name, NameFormat: `urn:oasis:names:tc:SAML:2.0:attrname-format:${format}` },
      ...[values].flat().map(value => element('saml:AttributeValue', {}, escapeXml(value))),
    );
  });
  return all.length === 0 ? null : element('saml:AttributeStatement', {}, ...all);
}

/** What an honest identity provider says to `request` at `now`; ids are the caller's to choose. */
export function honestly(
  request: { id: string | null; issuer: string; acsUrl: string },
  person: Person,
  { entityId, now, newId }: { entityId: string; now: number; newId: () => string },
): Said {
  const soon = isoTime(now + 5 * 60_000);
  return {
    responseId: newId(),
    responseVersion: '2.0',
    responseIssuer: entityId,
    responseIssueInstant: isoTime(now),
    destination: request.acsUrl,
    inResponseTo: request.id,
    status: statuses.success,
    subStatus: null,
    assertionId: newId(),
    assertionVersion: '2.0',
    assertionIssuer: entityId,
    assertionIssueInstant: isoTime(now),
    nameId: person.nameId,
    nameIdFormat: person.nameIdFormat,
    nameQualifier: null,
    spNameQualifier: null,
    confirmationMethod: confirmationMethods.bearer,
    recipient: request.acsUrl,
    confirmationInResponseTo: request.id,
    confirmationNotBefore: null,
    confirmationNotOnOrAfter: soon,
    notBefore: isoTime(now),
    notOnOrAfter: soon,
    audiences: [[request.issuer]],
    oneTimeUse: false,
    proxyCount: null,
    authnInstant: person.authnInstant ?? isoTime(now),
    authnContext: person.authnContext ?? passwordContext,
    sessionIndex: person.sessionIndex === undefined ? newId() : person.sessionIndex,
    sessionNotOnOrAfter: person.sessionNotOnOrAfter ?? null,
    attributes: person.attributes,
    without: [],
  };
}
