// Of everything that an identity provider says of somebody, what is handed on for the mapping of attributes: JSON of a
// bounded size and form. It is stored while somebody signs in, so it holds no name that a document of the store may
// not.
import { textSchema } from '@reeve/contracts';
import { z } from 'zod';

/** Of the protocol, and of nobody. */
const ofProtocol = new Set('iss aud azp exp iat nbf jti nonce at_hash c_hash s_hash sid'.split(' '));
const most = { claims: 100, nameLength: 200, claimBytes: 12_000, bytes: 16_384, depth: 6, droppedNamed: 100 };

export type Claims = { claims: Record<string, unknown>; dropped: string[] };

/**
 * The first claims that fit, in the order in which they came. `dropped` names those that are too many, too large, too
 * deep, named oddly or numbers that we cannot hold: the first hundred, and each by the beginning of its name.
 */
export function boundedClaims(said: Readonly<Record<string, unknown>>): Claims {
  const kept: [string, unknown][] = [];
  const dropped: string[] = [];
  let bytes = 2;
  for (const [name, value] of Object.entries(said)) {
    if (ofProtocol.has(name) || value === undefined) continue;
    const size = isKept(name, value) ? sizeOf(name) + sizeOf(value) + 2 : Number.POSITIVE_INFINITY;
    if (size > most.claimBytes || bytes + size > most.bytes || kept.length === most.claims) {
      if (dropped.length < most.droppedNamed) dropped.push(name.slice(0, most.nameLength).toWellFormed());
      continue;
    }
    bytes += size;
    kept.push([name, value]);
  }
  return { claims: Object.fromEntries(kept), dropped };
}

const sizeOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value), 'utf8');

const isKept = (name: string, value: unknown): boolean =>
  name.length <= most.nameLength && isName(name) && isPlain(value, most.depth);

/** A name of a field in the store, and in JavaScript nothing but a name. */
const isName = (name: string): boolean =>
  name !== '' && name !== '__proto__' && !name.startsWith('$') && !name.includes('\0') && name.isWellFormed();

/** Lists and objects within one another that are not too deep: what walks through them does so by calling itself. */
function isPlain(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value === 'number') return isExact(value);
  if (typeof value !== 'object' || value === null) return true;
  if (depth === 0) return false;
  return Array.isArray(value)
    ? value.every(one => isPlain(one, depth - 1))
    : Object.entries(value).every(([name, one]) => isName(name) && isPlain(one, depth - 1));
}

/**
 * Where JSON has a longer number, JavaScript has rounded it, and from there on fractions as well: two people of
 * neighbouring numbers would be one.
 */
const isExact = (value: number): boolean =>
  Number.isFinite(value) && (!Number.isInteger(value) || Math.abs(value) < 2 ** 52);

/** Some providers write it as a text; whatever else it may be is no yes. Null where nothing is said. */
export const verifiedIn = ({ email_verified: said }: Readonly<Record<string, unknown>>): boolean | null =>
  said === undefined ? null : said === true || said === 'true';

/** A claim, if it is as we take it; what is not counts as not said. */
export const takenAs = <T>(schema: z.ZodType<T>, claim: unknown): T | null => schema.safeParse(claim).data ?? null;

/** As parts of tokens of ours they are short, and more than spaces and what nobody sees. */
export const partOfName = textSchema(200).regex(/^\P{Cc}*[^\s\p{Cc}\p{Cf}]\P{Cc}*$/u);
/** A tag of BCP 47, as `de-AT`; with underscores, as some write it. */
export const localeText = z.string().regex(/^[A-Za-z]{1,8}([-_][A-Za-z0-9]{1,8}){0,5}$/);
