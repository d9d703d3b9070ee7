// An OAuth client of a tenant: a machine with a secret, or an application that signs people in. Owns what it may ask
// for, and where people are sent back to. Only hashes of its secrets are kept: a random secret of 256 bits needs no
// slow hash. A deleted client is gone at once.
import { createHash, randomBytes } from 'node:crypto';
import { type Area, areas } from '@reeve/access';
import {
  event,
  type Id,
  mattersUntil,
  ProblemError,
  type ReasonOf,
  revocationDraft,
  type TenantId,
} from '@reeve/contracts';
import { type Collections, changedIn, collection, type Decision, type Entry } from '@reeve/store';
import { z } from 'zod';
import { isLoopback } from '../loopback.ts';

type Secret = { sha256: string; expiresAt: string | null };

export type Client = {
  name: string;
  grantTypes: ('client_credentials' | 'authorization_code' | 'refresh_token')[];
  redirectUris: string[];
  postLogoutRedirectUris: string[];
  /** Where somebody else can have it begin a sign-in (OpenID Connect Core §4). */
  initiateLoginUri: string | null;
  /**
   * How far its tokens reach in the tenant; null for everywhere. A person's tokens reach no further by it than the
   * person's roles.
   */
  areas: Area[] | null;
  /** What kind of place people use it in, for policies. */
  surface: string | null;
  /** False for a confidential application that cannot do PKCE. */
  pkceRequired: boolean;
  /** Its tokens from before this moment count no more. Null when none was ever revoked. */
  tokensFrom: string | null;
  /** The newest first; those that were rotated away count until they expire. */
  secrets: Secret[];
  createdAt: string;
  /** Absent while the client is in use. */
  deletedAt?: Date;
};

export type Clients = Collections<Client>;

/** Who is changed, and when. */
export type Which = { id: Id<'client'>; tenantId: TenantId; at: Date };

export const clientView = z.object({
  clientId: z.string(),
  name: z.string(),
  grantTypes: z.array(z.string()),
  redirectUris: z.array(z.string()),
  postLogoutRedirectUris: z.array(z.string()),
  initiateLoginUri: z.string().nullable(),
  scopes: z.array(z.string()),
  areas: z.array(z.string()).nullable(),
  surface: z.string().nullable(),
  pkceRequired: z.boolean(),
  createdAt: z.string(),
});
/** The secret is shown when it is made, and never again. */
export const clientWithSecret = clientView.extend({ clientSecret: z.string().nullable() });

type Version3 = Omit<Client, 'initiateLoginUri'>;
type Version2 = Omit<Version3, 'tokensFrom'>;
type Version1 = Omit<Version2, 'areas' | 'surface' | 'pkceRequired' | 'secrets'> & {
  secretSha256: string;
  status: 'active' | 'deleted';
};

export const clients = collection<Client>({
  name: 'clients',
  version: 4,
  // Version 1 had one secret, reached everywhere, and kept what was deleted.
  upgrade(state, from) {
    const initiateLoginUri = null;
    if (from === 3) return { ...(state as Version3), initiateLoginUri };
    const tokensFrom = null;
    if (from === 2) return { ...(state as Version2), tokensFrom, initiateLoginUri };
    const { secretSha256, status, ...rest } = state as Version1;
    const secrets = status === 'active' ? [{ sha256: secretSha256, expiresAt: null }] : [];
    return { ...rest, areas: null, surface: null, pkceRequired: true, secrets, tokensFrom, initiateLoginUri };
  },
  globallyUnique: { id: (_, id) => id },
  queries: { inOrder: { equality: [] } },
  expiresAt: ({ deletedAt }) => deletedAt ?? null,
});

export const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

export function newClientSecret(): { clientSecret: string; secretSha256: string } {
  const clientSecret = randomBytes(32).toString('base64url');
  return { clientSecret, secretSha256: sha256(clientSecret) };
}

export function viewOf({ id, state }: Entry<Client>, tenantId: string): z.infer<typeof clientView> {
  const { secrets: _, tokensFrom: __, deletedAt: ___, ...rest } = state;
  return { clientId: id, ...rest, scopes: [`tenant:${tenantId}`] };
}

/**
 * https, or http on this very machine; nothing that a browser would not take for the host, and nothing that comes back
 * in a fragment.
 */
const redirectUri = z
  .url({ protocol: /^https?$/ })
  .max(2_000)
  .superRefine((text, context) => {
    const url = URL.parse(text);
    if (!url) return;
    const { protocol, hostname, username, password } = url;
    if (protocol === 'http:' && !isLoopback(hostname)) context.addIssue('must be https, or http on localhost');
    if (username !== '' || password !== '') context.addIssue('must hold no credentials');
    if (text.includes('#')) context.addIssue('must have no fragment');
  });

export const clientSettings = z.strictObject({
  name: z.string().trim().min(1).max(200),
  grantTypes: z.array(z.enum(['client_credentials', 'authorization_code', 'refresh_token'])).min(1),
  redirectUris: z.array(redirectUri).max(20),
  postLogoutRedirectUris: z.array(redirectUri).max(20),
  initiateLoginUri: redirectUri.nullable(),
  areas: z.array(z.enum(areas)).max(areas.length).nullable(),
  surface: z
    .string()
    .regex(/^[a-z][a-z0-9_-]{0,59}$/, 'must be up to 60 lowercase letters, digits, _ and -')
    .nullable(),
  pkceRequired: z.boolean(),
});
export type ClientSettings = z.infer<typeof clientSettings>;

/** Why these settings do not go together, by field; null when they do. */
export function contradictionIn(settings: Pick<Client, 'grantTypes' | 'redirectUris'>) {
  const { grantTypes, redirectUris } = settings;
  if (grantTypes.includes('authorization_code') && redirectUris.length === 0)
    return { field: 'redirectUris', message: 'authorization_code needs at least one' };
  if (grantTypes.includes('refresh_token') && !grantTypes.includes('authorization_code'))
    return { field: 'grantTypes', message: 'refresh_token needs authorization_code' };
  return null;
}

const about = ({ id, tenantId }: Which, { name, grantTypes }: Client) => ({
  id,
  name,
  details: { scopes: [`tenant:${tenantId}`], grantTypes },
});

/** What those who hold its tokens have to know. `issuedBefore` is null when none of them counts any more. */
const revocation = ({ id, at }: Which, issuedBefore: string | null) =>
  revocationDraft({ kind: 'client', id, issuedBefore, until: mattersUntil(at) });

type Changed = NonNullable<Decision<Client>>;

/** With that change its earlier tokens count no more; from later on than at the last time, whatever clocks say. */
function endingTokens(which: Which, { state, events }: Changed): Changed {
  const last = state.tokensFrom === null ? 0 : Date.parse(state.tokensFrom);
  const tokensFrom = new Date(Math.max(which.at.getTime(), last + 1)).toISOString();
  return { state: { ...state, tokensFrom }, events: [...events, revocation(which, tokensFrom)] };
}

function updated(which: Which, state: Client, changed: readonly string[], because: ReasonOf<'client.updated'>) {
  const { details, ...target } = about(which, state);
  return event('client.updated', { ...target, because, details: { ...details, changed: [...changed] } });
}

export function register(which: Which, settings: ClientSettings, secretSha256: string): Changed {
  const secrets = [{ sha256: secretSha256, expiresAt: null }];
  const state: Client = { ...settings, secrets, tokensFrom: null, createdAt: which.at.toISOString() };
  return { state, events: [event('client.created', { ...about(which, state), because: 'requested' })] };
}

/** Tokens from before a change of how far they reach count no more. */
export function update(which: Which, client: Client, change: Partial<ClientSettings>): Decision<Client> {
  const state: Client = { ...client, ...change };
  const changed = changedIn(client, change);
  if (changed.length === 0) return null;
  const decision = { state, events: [updated(which, state, changed, 'requested')] };
  return changed.includes('areas') ? endingTokens(which, decision) : decision;
}

const mostSecrets = 5;

/** The secrets until now count for so long; where that is not at all, neither do the tokens that were got by them. */
export function rotateSecret(
  which: Which,
  client: Client,
  { secretSha256, keepMs }: { secretSha256: string; keepMs: number },
): Decision<Client> {
  const expiresAt = new Date(which.at.getTime() + keepMs).toISOString();
  const kept = client.secrets
    .filter(({ expiresAt: until }) => keepMs > 0 && (until === null || until > which.at.toISOString()))
    .map(secret => ({ ...secret, expiresAt: secret.expiresAt ?? expiresAt }));
  const secrets = [{ sha256: secretSha256, expiresAt: null }, ...kept];
  if (secrets.length > mostSecrets) throw new ProblemError('secret_limit');
  const state: Client = { ...client, secrets };
  const changed = keepMs > 0 ? ['secret'] : ['secret', 'tokens'];
  const decision = { state, events: [updated(which, state, changed, 'secret_rotated')] };
  return keepMs > 0 ? decision : endingTokens(which, decision);
}

export function remove(which: Which, client: Client): Decision<Client> {
  const { id, name } = about(which, client);
  return {
    state: { ...client, secrets: [], deletedAt: which.at },
    events: [event('client.deleted', { id, name, because: 'requested' }), revocation(which, null)],
  };
}
