// What an identity provider says of itself in SAML 2.0 metadata: read, checked, and kept as settings.
import { X509Certificate } from 'node:crypto';
import { ProblemError } from '@reeve/contracts';
import { z } from 'zod';
import { binding, ns } from './names.ts';
import {
  allNamed,
  attributeOf,
  childNamed,
  childrenNamed,
  isNamed,
  parseCommentedXml,
  textOf,
  type XmlElement,
  XmlError,
} from './xml.ts';

const address = z.url().max(1_000);

/** Where a service of the provider is, by binding. */
const service = z.object({ redirect: address.exactOptional(), post: address.exactOptional() });

export const idpSchema = z.object({
  entityId: z.string().min(1).max(500),
  sso: service,
  /** Nothing where it has no single logout. */
  slo: service,
  /** PEM. Any of them may sign: one that is to come stands beside the one in use. */
  certificates: z.array(z.string()).min(1).max(10),
  wantsSignedRequests: z.boolean(),
  /** Until when the document counts, ISO 8601; null where it does not say. */
  validUntil: z.string().nullable(),
});
export type Idp = z.infer<typeof idpSchema>;

const refused = (detail: string, cause?: unknown) => new ProblemError('metadata_invalid', detail, { cause });

/** Throws `metadata_invalid` saying what is wrong. */
export function readIdpMetadata(bytes: Uint8Array, now: Date): Idp {
  try {
    return idpOf(entityIn(parseCommentedXml(bytes)), now);
  } catch (error) {
    throw error instanceof XmlError ? refused(`the metadata cannot be read: ${error.message}`, error) : error;
  }
}

/** A federation's document names many: then it has to be said which, and we do not guess. */
function entityIn(root: XmlElement): XmlElement {
  const entities = allNamed(root, 'EntityDescriptor').filter(
    entity => childNamed(entity, ns.metadata, 'IDPSSODescriptor') !== null,
  );
  const [entity, ...others] = entities;
  if (!entity) throw refused('the metadata describes no identity provider (IDPSSODescriptor)');
  if (others.length > 0) throw refused('the metadata describes several identity providers; give that of one');
  if (!isNamed(entity, ns.metadata, 'EntityDescriptor')) throw refused('the metadata is not SAML 2.0');
  return entity;
}

function idpOf(entity: XmlElement, now: Date): Idp {
  const descriptor = childNamed(entity, ns.metadata, 'IDPSSODescriptor') as XmlElement;
  if (!(attributeOf(descriptor, 'protocolSupportEnumeration') ?? '').split(/\s+/).includes(ns.protocol))
    throw refused('the identity provider does not speak SAML 2.0');
  const validUntil = earliest([attributeOf(entity, 'validUntil'), attributeOf(descriptor, 'validUntil')]);
  if (validUntil !== null && Date.parse(validUntil) <= now.getTime())
    throw refused(`the metadata counted until ${validUntil}`);
  return checkedIdp({
    entityId: attributeOf(entity, 'entityID') ?? '',
    sso: serviceOf(descriptor, 'SingleSignOnService'),
    slo: serviceOf(descriptor, 'SingleLogoutService'),
    certificates: certificatesOf(descriptor),
    wantsSignedRequests: attributeOf(descriptor, 'WantAuthnRequestsSigned') === 'true',
    validUntil,
  });
}

function earliest(said: readonly (string | null)[]): string | null {
  const times = said.filter(one => one !== null).map(one => Date.parse(one));
  if (times.some(Number.isNaN)) throw refused('validUntil is no time');
  return times.length === 0 ? null : new Date(Math.min(...times)).toISOString();
}

function serviceOf(descriptor: XmlElement, name: string): Idp['sso'] {
  const at = (wanted: string) =>
    childrenNamed(descriptor, ns.metadata, name).find(one => attributeOf(one, 'Binding') === wanted);
  const [redirect, post] = [at(binding.redirect), at(binding.post)].map(one => one && attributeOf(one, 'Location'));
  return { ...(redirect ? { redirect } : {}), ...(post ? { post } : {}) };
}

function certificatesOf(descriptor: XmlElement): string[] {
  const forSigning = childrenNamed(descriptor, ns.metadata, 'KeyDescriptor').filter(
    key => (attributeOf(key, 'use') ?? 'signing') === 'signing',
  );
  // The first of each X509Data is the key's own; those after it are of who vouches for it.
  const found = forSigning.flatMap(key =>
    allNamed(key, 'X509Data').flatMap(one => allNamed(one, 'X509Certificate')[0] ?? []),
  );
  return [...new Set(found.map(textOf).map(pemOf))];
}

/** A certificate of base64 with or without PEM's first and last line, as PEM. Throws `metadata_invalid`. */
export function pemOf(text: string): string {
  const base64 = text.replace(/-----(BEGIN|END) CERTIFICATE-----/g, '').replace(/\s+/g, '');
  try {
    return new X509Certificate(Buffer.from(base64, 'base64')).toString();
  } catch (error) {
    throw refused('a certificate cannot be read: it has to be X.509, as PEM or base64', error);
  }
}

const smallestModulus = 2_048;

function isUsable(pem: string): boolean {
  try {
    const { publicKey, validTo } = new X509Certificate(pem);
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = publicKey;
    const isStrong = type === 'rsa' && (details?.modulusLength ?? 0) >= smallestModulus;
    return isStrong && !Number.isNaN(Date.parse(validTo));
  } catch {
    // Of a key that cannot be decoded.
    return false;
  }
}

/**
 * The same, if we can work with it. The dates of its certificates do not count, by the metadata interoperability
 * profile: that they stand here is why they are believed, and people are warned before they end.
 */
export function checkedIdp(idp: Idp): Idp {
  if (!idp.sso.redirect && !idp.sso.post)
    throw refused('it has no SingleSignOnService with the binding HTTP-Redirect or HTTP-POST');
  if (idp.certificates.length === 0) throw refused('it has no certificate for signing');
  // One that is of no use to us, as the next key of another kind, does not spoil those that are.
  const certificates = idp.certificates.filter(isUsable);
  if (certificates.length === 0)
    throw refused(`no certificate for signing is of an RSA key of at least ${smallestModulus} bits, and dated`);
  const parsed = idpSchema.safeParse({ ...idp, certificates });
  if (parsed.success) return parsed.data;
  throw refused(`it is not valid: ${parsed.error.issues.map(({ path }) => path.join('.')).join(', ')}`);
}
