// Where a tenant's people use the assistant inside pages of others: from which origins, as which application, and with
// tokens for what. One per tenant, under the tenant's id. It grants nothing: who is signed in, and what they may do, is
// decided by the sign-in that a page begins. Pure.
import { event } from '@reeve/contracts';
import { type Collections, changedIn, collection, type Decision } from '@reeve/store';
import { z } from 'zod';
import type { KnownApplication } from '../applications/known-application.ts';
import { assertPlainUrl } from '../plain-url.ts';

/** How a page may have somebody sign in; `auto` is what the browser allows. */
const modes = ['auto', 'popup', 'redirect', 'iframe'] as const;

/** The surface that the application has to be of, so that what holds for assistants holds for its sessions. */
const assistantSurface = 'assistant';

export const callbackPath = '/embed/callback';

const url = z
  .url()
  .max(500)
  .superRefine(assertPlainUrl)
  .regex(/^https?:/, 'must be https, or http on localhost');

/** A browser takes more for a host than a name: `;` and `,` would end the part of a policy that the host stands in. */
const origin = url.refine(
  text => URL.parse(text)?.origin === text && !/[*;,]/.test(text),
  'must be an origin, as https://portal.example',
);

const scope = z.string().regex(/^[\w.:/-]{1,100}$/, 'is no name of a scope');

export const embedSchema = z.strictObject({
  enabled: z.boolean(),
  origins: z.array(origin).max(50).describe('Of the pages that may embed it, exactly as a browser sends them'),
  applicationId: z
    .string()
    .min(1)
    .max(100)
    .nullable()
    .describe('The `single_page` application, of the surface `assistant`, that people are signed in to'),
  resource: url.nullable().describe('The API that the page gets tokens for; the application’s own unless said'),
  scopes: z.array(scope).max(50),
  mode: z.enum(modes),
});
export type Embed = z.infer<typeof embedSchema>;

export type Embeds = Collections<Embed>;

export const embeds = collection<Embed>({ name: 'embeds' });

export const noEmbed: Embed = {
  enabled: false,
  origins: [],
  applicationId: null,
  resource: null,
  scopes: [],
  mode: 'auto',
};

export function set(before: Embed | null, state: Embed): Decision<Embed> {
  const changed = changedIn(before ?? noEmbed, state);
  if (changed.length === 0) return null;
  return {
    state,
    events: [event('policy.updated', { id: 'embed', because: 'requested', details: { kind: 'embed', changed } })],
  };
}

type Application = Pick<KnownApplication, 'kind' | 'surface' | 'dpopRequired' | 'redirectUris'>;

/** Why people cannot be signed in to it inside somebody else's page; null where they can. */
export function unfit(application: Application, issuer: string): string | null {
  if (application.kind !== 'single_page') return 'is not of kind single_page';
  if (application.surface !== assistantSurface) return `is not of the surface ${assistantSurface}`;
  // What a page is handed is worth nothing without the page's own key.
  if (!application.dpopRequired) return 'does not say dpopRequired';
  if (!application.redirectUris.includes(issuer + callbackPath))
    return `does not name the redirect URI ${issuer}${callbackPath}`;
  return null;
}
