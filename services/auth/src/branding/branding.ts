// How a tenant's people know it: the name and logo on the pages that they see while they sign in. What it is beside the
// name in provisioning, which is for administrators, nobody shows. One per tenant, under the tenant's id.
import { event, type TenantId } from '@reeve/contracts';
import type { Brand } from '@reeve/service-kit';
import { type Collections, changedIn, collection, type Decision } from '@reeve/store';
import { z } from 'zod';

export type Branding = { displayName: string | null; logoUrl: string | null };

export type Brandings = Collections<Branding>;

export const brandings = collection<Branding>({ name: 'brandings' });

export const noBranding: Branding = { displayName: null, logoUrl: null };

/**
 * What would show as something else than it is: controls, lines, and what turns the direction of what follows (U+202E).
 * Two joiners are letters to some languages.
 */
const deceptive = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/u;

/** A browser takes more for a host than a name: `;` and `,` would end the part of a policy that the host stands in. */
const hostname = /^[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z][a-z0-9-]*$/;

const longestName = 80;
const longestUrl = 500;

const displayName = z
  .string()
  .max(longestName)
  .trim()
  .min(1)
  .refine(text => !deceptive.test(text), 'must hold no control characters, and none that change the direction')
  .transform(text => text.normalize('NFC'));

const logoUrl = z
  .string()
  .max(longestUrl)
  .transform((text, context) => {
    const url = URL.parse(text);
    const wrong = url === null ? 'must be a URL' : wrongWith(url);
    if (url !== null && wrong === null) return url.href;
    context.addIssue(wrong ?? 'must be a URL');
    return z.NEVER;
  });

/** An SVG may hold scripts: as an image it runs none of them. */
function wrongWith({ protocol, hostname: host, username, password, href }: URL): string | null {
  if (protocol !== 'https:') return 'must be https';
  if (!hostname.test(host)) return 'must name a host by its domain';
  if (username !== '' || password !== '') return 'must hold no credentials';
  return href.length > longestUrl ? `must be ${longestUrl} characters at most` : null;
}

export const brandingSchema = z
  .strictObject({ displayName: displayName.nullable(), logoUrl: logoUrl.nullable() })
  .refine(({ displayName: name, logoUrl: logo }) => name !== null || logo === null, {
    path: ['displayName'],
    message: 'is what a logo is read out as',
  });

export const brandingView = z.object({ displayName: z.string().nullable(), logoUrl: z.string().nullable() });

export function set(id: TenantId, before: Branding | null, state: Branding): Decision<Branding> {
  if (changedIn(before ?? noBranding, state).length === 0) return null;
  return { state, events: [event('branding.updated', { id, because: 'requested', details: state })] };
}

/** Null for a tenant that shows itself by nothing. */
export const brandOf = ({ displayName: name, logoUrl: logo }: Branding): Brand | null =>
  name === null ? null : { displayName: name, logoUrl: logo };
