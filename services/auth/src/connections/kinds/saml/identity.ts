// Who somebody is, from what an assertion says. Providers call the same thing by different names; the usual ones are
// known here, and a connection's own mapping comes before them.
import { resolveIdentityRequest, textSchema } from '@reeve/contracts';
import { StepError } from '@reeve/relying-party';
import { boundedClaims, localeText, partOfName, takenAs } from '../claims.ts';
import type { UpstreamIdentity } from '../kind.ts';
import { nameIdFormat } from './names.ts';
import type { Asserted } from './read-assertion.ts';

const claimsUri = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims';
const usual = {
  email: [`${claimsUri}/emailaddress`, 'email', 'mail', 'Email', 'emailAddress', 'urn:oid:0.9.2342.19200300.100.1.3'],
  displayName: [
    'http://schemas.microsoft.com/identity/claims/displayname',
    'displayName',
    'urn:oid:2.16.840.1.113730.3.1.241',
    'name',
    'cn',
    'urn:oid:2.5.4.3',
  ],
  givenName: [`${claimsUri}/givenname`, 'givenName', 'firstName', 'urn:oid:2.5.4.42'],
  familyName: [`${claimsUri}/surname`, 'surname', 'lastName', 'sn', 'urn:oid:2.5.4.4'],
  locale: ['preferredLanguage', 'locale', 'urn:oid:2.16.840.1.113730.3.1.39'],
};

const multipleMethods = 'http://schemas.microsoft.com/claims/multipleauthn';
const methodsAttribute = 'http://schemas.microsoft.com/claims/authnmethodsreferences';
/** RFC 8176 has the values; the contexts are those of SAML, REFEDS and Microsoft. */
const methodsOf: Record<string, string[]> = {
  'urn:oasis:names:tc:SAML:2.0:ac:classes:Password': ['pwd'],
  'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport': ['pwd'],
  'urn:oasis:names:tc:SAML:2.0:ac:classes:Kerberos': ['wia'],
  'urn:federation:authentication:windows': ['wia'],
  'urn:oasis:names:tc:SAML:2.0:ac:classes:TimeSyncToken': ['otp'],
  'urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorContract': ['mfa'],
  'urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorUnregistered': ['mfa'],
  'https://refeds.org/profile/mfa': ['mfa'],
  [multipleMethods]: ['mfa'],
};

const shortText = textSchema(500);
const level = textSchema(200);
const short = (text: string | null) => takenAs(shortText, text);

/** A name that is made for one session is nobody's: the subject is null then. Throws StepError. */
export function identityOf(asserted: Asserted, issuer: string): UpstreamIdentity {
  const { nameId, attributes, authnContext, nameQualifier, spNameQualifier } = asserted;
  const taken = resolveIdentityRequest.shape;
  // SAML Core §2.2.2: the same name of another qualifier is somebody else.
  const name = nameQualifier === null || nameQualifier === issuer ? nameId : `${nameQualifier}!${nameId}`;
  const subject = takenAs(taken.subject, name);
  if (subject === null) throw new StepError('saml_subject');
  const valuesOf = (name: string) => (Object.hasOwn(attributes, name) ? (attributes[name] ?? []) : []);
  const all = (names: readonly string[]) =>
    names.map(one => valuesOf(one).filter(value => value !== '')).find(values => values.length > 0) ?? [];
  const first = (names: readonly string[]) => all(names)[0];
  const addresses = all(usual.email);
  const email = addresses[0] ?? (asserted.nameIdFormat === nameIdFormat.email ? nameId : undefined);
  const fullName = [first(usual.givenName), first(usual.familyName)].filter(part => part !== undefined).join(' ');
  const methods = [authnContext ?? '', ...(attributes[methodsAttribute] ?? [])].flatMap(one =>
    Object.hasOwn(methodsOf, one) ? (methodsOf[one] ?? []) : [],
  );
  // What only we say of an assertion is said by no attribute.
  const { nameId: _, nameIdFormat: __, ...others } = claimsOf(attributes);
  const { claims, dropped } = boundedClaims({ nameId: name, nameIdFormat: asserted.nameIdFormat, ...others });
  return {
    issuer,
    subject: asserted.nameIdFormat === nameIdFormat.transient ? null : subject,
    email: takenAs(taken.email, email),
    // SAML has no word for it. Of several nobody knows which is the person's own.
    emailVerified: addresses.length > 1 ? false : null,
    displayName: takenAs(taken.displayName, first(usual.displayName) ?? fullName),
    profile: {
      givenName: takenAs(partOfName, first(usual.givenName)),
      familyName: takenAs(partOfName, first(usual.familyName)),
      locale: takenAs(localeText, first(usual.locale)),
    },
    amr: [...new Set(methods)],
    acr: takenAs(level, authnContext),
    authenticatedAt: asserted.authenticatedAt,
    sessionEndsAt: asserted.sessionEndsAt,
    providerSession: {
      subject: nameId,
      id: short(asserted.sessionIndex),
      details: {
        format: short(asserted.nameIdFormat),
        nameQualifier: short(nameQualifier),
        spNameQualifier: short(spNameQualifier),
      },
    },
    claims,
    claimsDropped: dropped,
  };
}

/** What has one value is that value, as in OpenID Connect. */
const claimsOf = (attributes: Asserted['attributes']): Record<string, string | string[]> =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, values]) => [name, values.length === 1 ? (values[0] ?? '') : values]),
  );
