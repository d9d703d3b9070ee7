// How the settings of a connection age: what of them ends, and what of newer metadata takes the place of older. Pure.
import { X509Certificate } from 'node:crypto';
import { ProblemError } from '@reeve/contracts';
import type { Expiry } from '../../expiry.ts';
import type { Refreshed } from '../kind.ts';
import type { Idp } from './idp-metadata.ts';
import { type Complete, hostsOf, type Settings } from './settings.ts';

const fingerprintOf = (pem: string): string =>
  `sha256:${new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase()}`;

const endOf = (pem: string): Date => new Date(new X509Certificate(pem).validTo);

/**
 * Of the provider's certificates the last one to end counts, since one that comes after another takes its place; of
 * ours the one in use.
 */
export function expiriesOf({ idp, metadataUrl, keys }: Settings): Expiry[] {
  const ofPem = (what: Expiry['what'], pem: string): Expiry => ({
    what,
    name: fingerprintOf(pem),
    at: endOf(pem),
    isRenewed: false,
  });
  const last = (idp?.certificates ?? [])
    .toSorted((one, other) => endOf(other).getTime() - endOf(one).getTime())
    .slice(0, 1);
  const own = keys.slice(0, 1).map(({ certificate }) => certificate);
  const metadata: Expiry[] =
    !idp || idp.validUntil === null
      ? []
      : [
          {
            what: 'metadata',
            name: metadataUrl ?? idp.entityId,
            at: new Date(idp.validUntil),
            isRenewed: metadataUrl !== null,
          },
        ];
  return [...last.map(pem => ofPem('certificate', pem)), ...metadata, ...own.map(pem => ofPem('own_certificate', pem))];
}

/**
 * Whoever gets hold of the server that metadata lies on must not become another provider by it, nor send our people
 * elsewhere: it remains the one that an administrator accepted, at its hosts. Throws `metadata_moved` saying what
 * moved.
 */
function assertNotMoved({ idp, pinnedHosts }: Complete, next: Idp): void {
  if (next.entityId !== idp.entityId)
    throw new ProblemError(
      'metadata_moved',
      `the metadata names the identity provider ${next.entityId} instead of ${idp.entityId}`,
    );
  const strange = hostsOf(next).filter(host => !pinnedHosts.includes(host));
  if (strange.length > 0)
    throw new ProblemError(
      'metadata_moved',
      `the metadata leads to ${strange.join(', ')}, and accepted is ${pinnedHosts.join(', ')}`,
    );
}

/**
 * What of metadata that was read again is taken without an administrator: certificates, addresses on the hosts that are
 * known, until when it counts. What would need a key of ours that there is none of is not: our key has to be made known
 * to the provider first, by somebody.
 */
export function refreshed(settings: Complete, read: Idp): Refreshed & { settings: Complete } {
  const { idp } = settings;
  const slo = settings.keys.length > 0 ? read.slo : idp.slo;
  const next: Idp = { ...read, slo, wantsSignedRequests: idp.wantsSignedRequests };
  assertNotMoved(settings, next);
  const missing = (some: readonly string[], other: readonly string[]) => some.filter(one => !other.includes(one));
  const names = { certificates: 'certificates', sso: 'ssoUrl', slo: 'sloUrl' } as const;
  const differs = (name: keyof typeof names) => JSON.stringify(next[name]) !== JSON.stringify(idp[name]);
  return {
    settings: { ...settings, idp: next },
    changed: Object.entries(names).flatMap(([name, told]) => (differs(name as keyof typeof names) ? [told] : [])),
    certificatesAdded: missing(next.certificates, idp.certificates).map(fingerprintOf),
    certificatesRemoved: missing(idp.certificates, next.certificates).map(fingerprintOf),
  };
}
