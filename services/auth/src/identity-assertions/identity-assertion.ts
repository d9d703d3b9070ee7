// What an identity assertion has to say (ID-JAG, draft-ietf-oauth-identity-assertion-authz-grant §3 and §4.4), once its
// signature is known to be that of an issuer whose word counts. Whatever is wrong has a reason for the tenant's record;
// whoever brought it is told none. Pure.
import { isUtf8 } from 'node:buffer';
import { type AssertionRefusal, isCanonicalJws, JsonError, parseJson, textSchema } from '@reeve/contracts';
import { z } from 'zod';

export const identityAssertionType = 'oauth-id-jag+jwt';

export type Refused = { refused: AssertionRefusal; detail: string };
export const refused = (because: AssertionRefusal, detail: string): Refused => ({ refused: because, detail });
export const isRefused = (value: object): value is Refused => 'refused' in value;

/** Of honest ones none comes near it. */
const longest = 16_000;
export const skewSeconds = 30;
const longestSeconds = 300;
/** Of those who act, the assistant that brings it among them. */
const mostActors = 3;

/** By these a header would lead to another key, or to another reading of what is signed. */
const notTaken = ['jwk', 'jku', 'x5u', 'x5c', 'crit', 'b64', 'zip', 'enc'];

const text = textSchema(500);
/** Whole seconds since 1970. */
const seconds = z.int().nonnegative();

/** Who acts there, the outermost last (RFC 8693 §4.1). */
export type Actor = { sub: string; iss?: string | undefined; act?: Actor | undefined };
const actorSchema: z.ZodType<Actor> = z.object({
  sub: text,
  iss: text.optional(),
  get act() {
    return actorSchema.optional();
  },
});

const samlName = z.strictObject({
  format: z.literal('saml-nameid'),
  issuer: text,
  nameid: text,
  nameid_format: text.optional(),
  name_qualifier: text.optional(),
  sp_name_qualifier: text.optional(),
});
const issuerAndSubject = z.strictObject({ format: z.literal('iss_sub'), iss: text, sub: text });

/** RFC 3986 §4.3, and no fragment. */
const resource = text.refine(one => URL.canParse(one) && !one.includes('#'), 'is no absolute URI');

const claimsSchema = z.looseObject({
  iss: text,
  sub: text,
  aud: z.union([text, z.tuple([text]).transform(([one]) => one)]),
  client_id: text,
  jti: textSchema(200),
  exp: seconds,
  iat: seconds,
  nbf: seconds.optional(),
  auth_time: seconds.optional(),
  acr: textSchema(200).optional(),
  amr: z.array(textSchema(100)).max(20).optional(),
  tenant: text.optional(),
  aud_tenant: text.optional(),
  aud_sub: text.optional(),
  email: textSchema(320).optional(),
  sub_id: z.union([samlName, issuerAndSubject]).optional(),
  resource: z
    .union([resource.transform(one => [one]), z.array(resource).min(1).max(20)])
    .refine(list => new Set(list).size === list.length, 'has one twice')
    .optional(),
  scope: z.string().max(4_000).optional(),
  act: actorSchema.optional(),
  cnf: z.strictObject({ jkt: z.string().regex(/^[\w-]{43}$/) }).optional(),
});
export type Assertion = z.infer<typeof claimsSchema>;

/** Where each claim stands among the reasons. */
const reasons: Partial<Record<string, AssertionRefusal>> = {
  iss: 'issuer',
  aud: 'audience',
  client_id: 'client',
  exp: 'time',
  iat: 'time',
  nbf: 'time',
  auth_time: 'authentication',
  acr: 'authentication',
  amr: 'authentication',
  tenant: 'tenant',
  aud_tenant: 'tenant',
  sub: 'subject',
  sub_id: 'subject',
  aud_sub: 'subject',
  email: 'domain',
  resource: 'resource',
  scope: 'scope',
  act: 'actor',
  cnf: 'proof',
};

/**
 * Of what nobody has verified yet, by whose keys that is to be done. Null for what is no assertion: more than one
 * meaning, a key of its own, too long.
 */
export function namesIn(assertion: string): { issuer: string; tenant: unknown } | null {
  if (assertion.length > longest || !isCanonicalJws(assertion)) return null;
  const [header, claims] = assertion.split('.', 2).map(partOf);
  if (!header || !claims || notTaken.some(name => name in header)) return null;
  const { iss: issuer, tenant } = claims;
  return typeof issuer === 'string' ? { issuer, tenant } : null;
}

function partOf(part: string): Record<string, unknown> | null {
  const bytes = Buffer.from(part, 'base64url');
  if (!isUtf8(bytes)) return null;
  try {
    const value = parseJson(bytes.toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof JsonError) return null;
    throw error;
  }
}

export type Expected = {
  issuer: string;
  tenantClaim: string | null;
  audience: string;
  clientId: string;
  /** Names that the tenant has here. */
  tenantNames: readonly string[];
  now: Date;
};

/** Whether it says, of now, that somebody is vouched for towards this client here. */
export function checkedAssertion(claims: object, expected: Expected): Assertion | Refused {
  const parsed = claimsSchema.safeParse(claims);
  if (!parsed.success) {
    const name = String(parsed.error.issues[0]?.path[0] ?? '');
    return refused(reasons[name] ?? 'malformed', `${name} is missing or of another form`);
  }
  const said = parsed.data;
  if (said.iss !== expected.issuer) return refused('issuer', 'iss is another');
  if ((said.tenant ?? null) !== expected.tenantClaim) return refused('tenant', 'tenant is another, or missing');
  if (said.aud_tenant !== undefined && !expected.tenantNames.includes(said.aud_tenant))
    return refused('tenant', 'aud_tenant is another');
  if (said.aud !== expected.audience) return refused('audience', 'aud is not this issuer alone');
  if (said.client_id !== expected.clientId)
    return refused('client', 'client_id is not the application that brought it');
  if (said['authorization_details'] !== undefined)
    return refused('authorization_details', 'there are no types of authorization_details here');
  if (1 + depthOf(said.act) > mostActors)
    return refused('actor', `with the assistant there are more than ${mostActors} actors`);
  return wrongInTime(said, expected.now) ?? said;
}

const depthOf = (act: Actor | undefined): number => (act ? 1 + depthOf(act.act) : 0);

function wrongInTime({ exp, iat, nbf = 0, auth_time: authTime = 0 }: Assertion, at: Date): Refused | null {
  const now = at.getTime() / 1_000;
  if (exp <= now - skewSeconds) return refused('time', 'it has expired');
  if (exp - iat > longestSeconds || exp > now + longestSeconds + skewSeconds)
    return refused('time', `it lasts more than ${longestSeconds} seconds`);
  if (exp <= iat || iat > now + skewSeconds || nbf > now + skewSeconds) return refused('time', 'it is of later');
  return authTime > now + skewSeconds ? refused('authentication', 'auth_time is to come') : null;
}

type Demand = { acrValues: readonly string[]; maxAgeSeconds: number | null };

/** Whether the person has signed in there as a policy demands it. */
export function wrongInSignIn(
  { acr, auth_time: authTime }: Assertion,
  { acrValues, maxAgeSeconds }: Demand,
  now: Date,
): Refused | null {
  if (acrValues.length > 0 && !(acr !== undefined && acrValues.includes(acr)))
    return refused('authentication', 'acr is none that is demanded');
  if (maxAgeSeconds === null) return null;
  const isRecent = authTime !== undefined && now.getTime() / 1_000 - authTime <= maxAgeSeconds + skewSeconds;
  return isRecent ? null : refused('authentication', 'the sign-in is too long ago, or auth_time is missing');
}

type NameId = { format: string; nameQualifier: string | null; spNameQualifier: string | null };

/**
 * By what the connection knows the person. A SAML provider's own name of somebody is in `sub_id`, of which each member
 * is compared: the same name of another qualifier is somebody else (SAML Core §2.2.2).
 */
export function subjectIn(said: Assertion, of: { entityId: string; nameId: NameId | null }): string | Refused {
  const { sub, iss, sub_id: named } = said;
  const { entityId, nameId } = of;
  if (nameId === null) {
    if (named === undefined) return sub;
    const isSame = named.format === 'iss_sub' && named.iss === iss && named.sub === sub;
    return isSame ? sub : refused('subject', 'sub_id says somebody else than sub');
  }
  if (named?.format !== 'saml-nameid') return refused('subject', 'sub_id has to be a saml-nameid');
  if (named.issuer !== entityId) return refused('subject', 'sub_id is of another provider');
  const isSame =
    named.nameid_format === nameId.format &&
    (named.name_qualifier ?? null) === nameId.nameQualifier &&
    (named.sp_name_qualifier ?? null) === nameId.spNameQualifier;
  if (!isSame) return refused('subject', 'sub_id has other qualifiers, or another format, than is said');
  const { nameid } = named;
  return nameId.nameQualifier === null || nameId.nameQualifier === entityId
    ? nameid
    : `${nameId.nameQualifier}!${nameid}`;
}

type Wanted = { resources: readonly string[]; ofClaim: readonly string[] | undefined; policies: readonly string[] };

/** The one API that the token is for: what is asked for narrows the claim, and what neither says is the only one. */
export function resourceOf({ resources, ofClaim, policies }: Wanted): string | Refused {
  const foreign = [...(ofClaim ?? []), ...resources].find(one => !policies.includes(one));
  if (foreign !== undefined) return refused('resource', 'it names an API that no policy names');
  if (ofClaim && resources.some(one => !ofClaim.includes(one)))
    return refused('resource', 'another API is asked for than it says');
  const possible = [resources, ofClaim ?? [], policies].find(list => list.length > 0) ?? [];
  const [only, another] = possible;
  return only === undefined || another !== undefined ? refused('resource', 'a token is for one API') : only;
}

/** What all of them allow: nobody gets more than any of them says. Undefined is no limit. */
export function scopesOf(...limits: (readonly string[] | undefined)[]): string[] | Refused {
  const [first = [], ...others] = limits.filter(limit => limit !== undefined);
  const scopes = [...new Set(first)].filter(scope => others.every(limit => limit.includes(scope)));
  return scopes.length === 0 ? refused('scope', 'nothing is left of what is asked for') : scopes;
}

/** The key that the token is bound to, if any. */
export function wrongInBinding(
  { cnf }: Assertion,
  { jkt, requireDpop }: { jkt: string | undefined; requireDpop: boolean },
): Refused | null {
  if (cnf && cnf.jkt !== jkt) return refused('proof', 'it is bound to another key than was proven');
  return requireDpop && jkt === undefined ? refused('proof', 'a DPoP proof is needed') : null;
}

export const wordsOf = (scope: string | undefined): string[] | undefined =>
  scope?.split(' ').filter(word => word !== '');
