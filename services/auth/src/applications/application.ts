// An application of the product: one that signs people in, or a machine that acts by itself. It belongs to one tenant,
// or to the platform and serves the tenants that it names. Owns what it may ask for, and where people are sent back to.
// Only hashes of its secrets are kept: a random secret of 256 bits needs no slow hash. A deleted application is gone at
// once. OAuth and its events call it a client.
import { createHash, randomBytes } from 'node:crypto';
import type { Area } from '@reeve/access';
import {
  event,
  type Id,
  mattersUntil,
  ProblemError,
  platformTenantId,
  type ReasonOf,
  revocationDraft,
  type TenantId,
} from '@reeve/contracts';
import { type Collections, changedIn, collection, type Decision, type Entry } from '@reeve/store';
import { z } from 'zod';
import {
  type ApplicationSettings,
  type Authentication,
  type GrantType,
  type KindOfApplication,
  tenantsServed,
} from './application-settings.ts';

type Secret = { sha256: string; createdAt: string | null; expiresAt: string | null };

/** Of the platform's applications; null for a tenant's own. */
type TenantsServed = z.infer<typeof tenantsServed> | null;

export type Application = {
  kind: KindOfApplication;
  name: string;
  grantTypes: GrantType[];
  redirectUris: string[];
  postLogoutRedirectUris: string[];
  /** Where its server is told that a session has ended (OpenID Connect Back-Channel Logout). */
  backchannelLogoutUri: string | null;
  /** Where somebody else can have it begin a sign-in (OpenID Connect Core §4). */
  initiateLoginUri: string | null;
  /** Whose pages may ask for tokens (CORS). */
  origins: string[];
  authentication: Authentication;
  tenants: TenantsServed;
  /** The API that its tokens are for where it names none. */
  defaultResource: string | null;
  /** What it asks for where an authorization request names no scope. */
  defaultScopes: string[];
  /**
   * How far its tokens reach in Reeve's own API; null for everywhere. A person's tokens reach no further by it than the
   * person's roles.
   */
  areas: Area[] | null;
  /** What kind of place people use it in, for policies. */
  surface: string | null;
  /** False for a confidential application that cannot do PKCE. */
  pkceRequired: boolean;
  /** Its tokens are bound to a key of its own, and worth nothing without it (RFC 9449). */
  dpopRequired: boolean;
  /** What it has promised to keep to: the FAPI 2.0 Security Profile, or nothing in particular. */
  securityProfile: 'fapi2' | null;
  /** Its tokens from before this moment count no more. Null when none was ever revoked. */
  tokensFrom: string | null;
  /** The newest first; those that were rotated away count until they expire. */
  secrets: Secret[];
  createdAt: string;
  /** Absent while the application is in use. */
  deletedAt?: Date;
};

export type Applications = Collections<Application>;

/** Who is changed, and when. `owner` is a tenant, or the platform. */
export type Which = { id: Id<'client'>; owner: TenantId; at: Date };

export const applicationView = z.object({
  clientId: z.string(),
  kind: z.string(),
  name: z.string(),
  grantTypes: z.array(z.string()),
  redirectUris: z.array(z.string()),
  postLogoutRedirectUris: z.array(z.string()),
  backchannelLogoutUri: z.string().nullable(),
  initiateLoginUri: z.string().nullable(),
  origins: z.array(z.string()),
  authentication: z.looseObject({ method: z.string() }),
  tenants: z
    .union([z.literal('all'), z.array(z.string())])
    .nullable()
    .describe('Null for a tenant’s own'),
  defaultResource: z.string().nullable(),
  defaultScopes: z.array(z.string()),
  scopes: z.array(z.string()),
  areas: z.array(z.string()).nullable(),
  surface: z.string().nullable(),
  pkceRequired: z.boolean(),
  dpopRequired: z.boolean(),
  securityProfile: z.string().nullable(),
  secrets: z.array(
    z.object({ createdAt: z.string().nullable(), expiresAt: z.string().nullable(), lastUsedAt: z.string().nullable() }),
  ),
  createdAt: z.string(),
});
/** The secret is shown when it is made, and never again. Null for an application that has none. */
export const applicationWithSecret = applicationView.extend({ clientSecret: z.string().nullable() });

type Version5 = Omit<Application, 'backchannelLogoutUri' | 'defaultScopes'>;
type Version4 = Omit<
  Version5,
  'kind' | 'origins' | 'authentication' | 'tenants' | 'defaultResource' | 'dpopRequired' | 'securityProfile' | 'secrets'
> & {
  secrets: Omit<Secret, 'createdAt'>[];
};
type Version3 = Omit<Version4, 'initiateLoginUri'>;
type Version2 = Omit<Version3, 'tokensFrom'>;
type Version1 = Omit<Version2, 'areas' | 'surface' | 'pkceRequired' | 'secrets'> & {
  secretSha256: string;
  status: 'active' | 'deleted';
};

export const applications = collection<Application>({
  name: 'clients',
  version: 7,
  // What an instance of before has written beside us keeps what it did not know.
  upgrade: (state, from) => ({
    backchannelLogoutUri: null,
    defaultScopes: [],
    ...(from >= 5 ? (state as Version5) : sinceVersion4(toVersion4(state, from))),
  }),
  globallyUnique: { id: (_, id) => id },
  queries: { inOrder: { equality: [] } },
  expiresAt: ({ deletedAt }) => deletedAt ?? null,
});

/** Version 1 had one secret, reached everywhere, and kept what was deleted. */
function toVersion4(state: unknown, from: number): Version4 {
  if (from === 4) return state as Version4;
  const initiateLoginUri = null;
  if (from === 3) return { ...(state as Version3), initiateLoginUri };
  const tokensFrom = null;
  if (from === 2) return { ...(state as Version2), tokensFrom, initiateLoginUri };
  const { secretSha256, status, ...rest } = state as Version1;
  const secrets = status === 'active' ? [{ sha256: secretSha256, expiresAt: null }] : [];
  return { ...rest, areas: null, surface: null, pkceRequired: true, secrets, tokensFrom, initiateLoginUri };
}

/** Until then all were a tenant's, and had a secret. */
function sinceVersion4(state: Version4): Version5 {
  return {
    ...state,
    kind: state.grantTypes.includes('authorization_code') ? 'web' : 'machine',
    origins: [],
    authentication: { method: 'client_secret' },
    tenants: null,
    defaultResource: null,
    dpopRequired: false,
    securityProfile: null,
    secrets: state.secrets.map(secret => ({ ...secret, createdAt: null })),
  };
}

export const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

export function newClientSecret(): { clientSecret: string; secretSha256: string } {
  const clientSecret = randomBytes(32).toString('base64url');
  return { clientSecret, secretSha256: sha256(clientSecret) };
}

/** When secrets were last used, by their hashes. */
type LastUsed = Readonly<Record<string, string>>;

export function viewOf(
  { id, state }: Entry<Application>,
  { owner, lastUsed = {} }: { owner: TenantId; lastUsed?: LastUsed | undefined },
): z.infer<typeof applicationView> {
  const { secrets, tokensFrom: _, deletedAt: __, ...rest } = state;
  return {
    clientId: id,
    ...rest,
    scopes: scopesOf(owner),
    secrets: secrets.map(({ sha256: hash, createdAt, expiresAt }) => ({
      createdAt,
      expiresAt,
      lastUsedAt: lastUsed[hash] ?? null,
    })),
  };
}

/** What a machine may ask for to act in its tenant; the platform's say which tenant. */
const scopesOf = (owner: TenantId) => (owner === platformTenantId ? [] : [`tenant:${owner}`]);

const about = ({ id, owner }: Which, { name, grantTypes }: Application) => ({
  id,
  name,
  details: { scopes: scopesOf(owner), grantTypes },
});

/** What those who hold its tokens have to know. `issuedBefore` is null when none of them counts any more. */
const revocation = ({ id, at }: Which, issuedBefore: string | null) =>
  revocationDraft({ kind: 'client', id, issuedBefore, until: mattersUntil(at) });

type Changed = NonNullable<Decision<Application>>;

/** With that change its earlier tokens count no more; from later on than at the last time, whatever clocks say. */
function endingTokens(which: Which, { state, events }: Changed): Changed {
  const last = state.tokensFrom === null ? 0 : Date.parse(state.tokensFrom);
  const tokensFrom = new Date(Math.max(which.at.getTime(), last + 1)).toISOString();
  return { state: { ...state, tokensFrom }, events: [...events, revocation(which, tokensFrom)] };
}

function updated(which: Which, state: Application, changed: readonly string[], because: ReasonOf<'client.updated'>) {
  const { details, ...target } = about(which, state);
  return event('client.updated', { ...target, because, details: { ...details, changed: [...changed] } });
}

export type Settings = ApplicationSettings & Pick<Application, 'kind' | 'tenants'>;

/** `secretSha256` is null for one that has no secret. */
export function register(which: Which, settings: Settings, secretSha256: string | null): Changed {
  const createdAt = which.at.toISOString();
  const secrets = secretSha256 === null ? [] : [{ sha256: secretSha256, createdAt, expiresAt: null }];
  const state: Application = { ...settings, secrets, tokensFrom: null, createdAt };
  return { state, events: [event('client.created', { ...about(which, state), because: 'requested' })] };
}

/** By which its tokens reach somewhere, or are got: those from before count no more. */
const decisive: readonly (keyof Application)[] = ['areas', 'authentication', 'dpopRequired', 'securityProfile'];

/** One that comes to them takes nothing from the tokens of the others. */
function losesTenant({ tenants: before }: Application, { tenants: after }: Application): boolean {
  if (after === 'all' || before === null) return false;
  return before === 'all' || before.some(id => !after?.includes(id));
}

export function update(
  which: Which,
  application: Application,
  change: Partial<Omit<Settings, 'kind'>>,
): Decision<Application> {
  const changed = changedIn(application, change);
  if (changed.length === 0) return null;
  const state: Application = { ...application, ...change };
  // Those of an application that has had none in between would be known to whoever had them before.
  if (state.authentication.method !== application.authentication.method) state.secrets = [];
  const decision = { state, events: [updated(which, state, changed, 'requested')] };
  const isDecisive = losesTenant(application, state) || changed.some(name => decisive.includes(name));
  return isDecisive ? endingTokens(which, decision) : decision;
}

const mostSecrets = 5;

/** The secrets until now count for so long; where that is not at all, neither do the tokens that were got by them. */
export function rotateSecret(
  which: Which,
  application: Application,
  { secretSha256, keepMs }: { secretSha256: string; keepMs: number },
): Decision<Application> {
  if (application.authentication.method !== 'client_secret') throw new ProblemError('secret_not_used');
  const now = which.at.toISOString();
  const expiresAt = new Date(which.at.getTime() + keepMs).toISOString();
  const kept = application.secrets
    .filter(({ expiresAt: until }) => keepMs > 0 && (until === null || until > now))
    .map(secret => ({ ...secret, expiresAt: secret.expiresAt ?? expiresAt }));
  const secrets = [{ sha256: secretSha256, createdAt: now, expiresAt: null }, ...kept];
  if (secrets.length > mostSecrets) throw new ProblemError('secret_limit');
  const state: Application = { ...application, secrets };
  const changed = keepMs > 0 ? ['secret'] : ['secret', 'tokens'];
  const decision = { state, events: [updated(which, state, changed, 'secret_rotated')] };
  return keepMs > 0 ? decision : endingTokens(which, decision);
}

export function remove(which: Which, application: Application): Decision<Application> {
  const { id, name } = about(which, application);
  return {
    state: { ...application, secrets: [], deletedAt: which.at },
    events: [event('client.deleted', { id, name, because: 'requested' }), revocation(which, null)],
  };
}
