// What a connection makes of what its provider says of a person: by which name somebody is known to it, and what
// address and name they have. Where nothing is said, what the kind of connection takes by itself counts. Pure.
import { personIdentifiers, type ResolveIdentityRequest, resolveIdentityRequest, textSchema } from '@reeve/contracts';
import { StepError } from '@reeve/relying-party';
import { z } from 'zod';
import { evaluate, expressionSchema } from './expression.ts';
import { localeText, partOfName, takenAs } from './kinds/claims.ts';
import type { UpstreamIdentity } from './kinds/kind.ts';

/** A claim by its name, or an expression over all of them. */
const source = z.union([z.string().min(1).max(300), z.strictObject({ expression: expressionSchema })]);
type Source = z.infer<typeof source>;

const identifierText = textSchema(400);

const normalizers = {
  trim: (text: string) => text.trim(),
  lowercase: (text: string) => text.toLowerCase(),
  /** Compatibility forms of letters and digits, as full-width ones, become the usual ones. */
  nfkc: (text: string) => text.normalize('NFKC'),
  /** `ada@acme.example` and `ACME\ada` become `ada`. */
  strip_domain: (text: string) => text.replace(/@[^@]*$/, '').replace(/^.*\\/, ''),
  strip_leading_zeros: (text: string) => text.replace(/^0+(?=.)/, ''),
} as const;
type Normalizer = keyof typeof normalizers;

/** What can be said of the person. The names of parts make a name where none is said as a whole. */
export const attributesSchema = z.strictObject({
  email: source.exactOptional(),
  displayName: source.exactOptional(),
  givenName: source.exactOptional(),
  familyName: source.exactOptional(),
  locale: source.exactOptional(),
});

/** By what the person is known to the connection, instead of the subject that the provider names. */
export const identifierSchema = z
  .strictObject({
    type: z.enum(['email', 'directory_id', 'employee_id', 'custom']),
    attribute: source,
    normalize: z
      .array(z.enum(Object.keys(normalizers) as [Normalizer, ...Normalizer[]]))
      .max(5)
      .default([]),
    acrossConnections: z
      .boolean()
      .exactOptional()
      .describe('Whoever has this identifier among the users is the person, whichever connection they come by'),
  })
  .refine(({ type, acrossConnections }) => type !== 'email' || acrossConnections !== true, {
    path: ['acrossConnections'],
    message: 'is for other types: an address leads to a person by its domain',
  });

export type Mapping = {
  attributes: z.infer<typeof attributesSchema>;
  identifier: z.infer<typeof identifierSchema> | null;
};

export type MappedIdentity = Omit<UpstreamIdentity, 'subject' | 'claims' | 'claimsDropped'> & {
  subject: string;
  /** What the person is known by to the tenant, where the connection is believed in that. */
  person?: NonNullable<ResolveIdentityRequest['person']>;
};

/** Throws StepError where nobody is named, or an attribute that was asked for is missing. */
export function mapIdentity({ attributes, identifier }: Mapping, said: UpstreamIdentity): MappedIdentity {
  const { claims, claimsDropped: _, subject: named, email, displayName, profile, ...rest } = said;
  const identified = identifier ? identifierIn(identifier, said) : null;
  const subject = identified?.subject ?? named;
  if (subject === null) throw new StepError('subject_missing');
  const mapped = (name: keyof Mapping['attributes']) => attributeOf(attributes[name], claims)?.text;
  const parts = [mapped('givenName'), mapped('familyName')].filter(part => typeof part === 'string').join(' ');
  const name = mapped('displayName') ?? (parts === '' ? undefined : parts);
  const address = attributeOf(attributes.email, claims);
  const { shape } = resolveIdentityRequest;
  return {
    ...rest,
    subject,
    ...(identified?.person ? { person: identified.person } : {}),
    ...(address === undefined
      ? { email }
      : { email: takenAs(shape.email, address.text), emailVerified: isVerified(address, said) }),
    displayName: name === undefined ? displayName : takenAs(shape.displayName, name),
    profile: {
      givenName: takenAs(partOfName, mapped('givenName') ?? profile.givenName),
      familyName: takenAs(partOfName, mapped('familyName') ?? profile.familyName),
      locale: takenAs(localeText, mapped('locale') ?? profile.locale),
    },
  };
}

/**
 * What the provider has verified is the address that it calls so. Of several nobody knows which is the person's own:
 * that is said, so that no trust in the provider takes the first of them for verified.
 */
function isVerified(
  { text, isOneOfSeveral }: NonNullable<ReturnType<typeof attributeOf>>,
  { email, emailVerified }: UpstreamIdentity,
): boolean | null {
  if (isOneOfSeveral) return false;
  return text === email ? emailVerified : null;
}

function identifierIn(
  { type, attribute, normalize, acrossConnections }: NonNullable<Mapping['identifier']>,
  { claims, emailVerified }: Pick<UpstreamIdentity, 'claims' | 'emailVerified'>,
) {
  // Where people enter their address by themselves, one could enter another's.
  if (type === 'email' && emailVerified === false)
    throw new StepError('attribute_missing', { seen: { expected: 'email_verified', found: 'false' } });
  const found = identifierOf(attribute, claims);
  const names = Object.keys(claims).slice(0, 50).join(' ');
  if (found === null)
    throw new StepError('attribute_missing', { seen: { expected: wordsOf(attribute), found: names } });
  const value = normalize.reduce((text, name) => normalizers[name](text), found);
  // Nobody is known by what is left of nothing.
  if (value.trim() === '' || !identifierText.safeParse(value).success) throw new StepError('attribute_missing');
  // Apart from subjects, and from identifiers of other types: whoever was known by one of those is not taken for
  // somebody who happens to have the same text here.
  const subject = `${type}:${value}`;
  const known = personIdentifiers.find(one => one === type);
  return acrossConnections && known ? { subject, person: { type: known, value } } : { subject };
}

/**
 * By what the connection knows somebody of whom its provider says this without a sign-in. Null for nobody, and where it
 * would be an address: whoever is named by one may be another person tomorrow.
 */
export function subjectFor({ identifier }: Pick<Mapping, 'identifier'>, claims: Readonly<Record<string, unknown>>) {
  if (identifier === null || identifier.type === 'email') return null;
  try {
    return identifierIn(identifier, { claims, emailVerified: null }).subject;
  } catch (error) {
    if (error instanceof StepError) return null;
    throw error;
  }
}

const wordsOf = (from: Source): string => (typeof from === 'string' ? from : from.expression);

function saidIn(from: Source, claims: UpstreamIdentity['claims']): unknown {
  if (typeof from === 'object') return evaluate(from.expression, claims);
  return Object.hasOwn(claims, from) ? claims[from] : undefined;
}

/** A text, or a number as it is written. Null for anything else, and for nothing. */
function textOf(value: unknown): string | null {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Null where there are several, whose order means nothing and changes, and for a number that others are rounded to. */
function identifierOf(from: Source, claims: UpstreamIdentity['claims']): string | null {
  const said = saidIn(from, claims);
  const value: unknown = Array.isArray(said) ? (said.length === 1 ? said[0] : null) : said;
  const isRounded = typeof value === 'number' && (!Number.isInteger(value) || Object.is(value, -0));
  return isRounded ? null : textOf(value);
}

/** The first that is not empty, and how many there are. */
function attributeOf(from: Source | undefined, claims: UpstreamIdentity['claims']) {
  if (from === undefined) return undefined;
  const texts = [saidIn(from, claims)]
    .flat()
    .map(textOf)
    .filter(text => text !== null);
  return { text: texts[0] ?? null, isOneOfSeveral: texts.length > 1 };
}

/** What a mapping looks at, for a provider that says more when it is asked. */
export function claimsWanted({ attributes, identifier }: Mapping): string[] {
  const sources = [...Object.values(attributes), ...(identifier ? [identifier.attribute] : [])];
  const named = sources.flatMap(from =>
    typeof from === 'string' ? from : [...from.expression.matchAll(/\bclaims\.(\w+)/g)].map(([, name]) => name ?? ''),
  );
  return [...new Set(['email', 'name', ...named])];
}
