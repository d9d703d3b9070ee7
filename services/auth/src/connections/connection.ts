// A tenant's connection to its identity provider. Owns who may come in by it and whose addresses it speaks for; how a
// sign-in goes is the business of its kind (kinds/), whose settings it holds without knowing them. A deleted connection
// is gone at once.
import { type Actor, type Cause, event, type Id, ProblemError, type ReasonOf, type TenantId } from '@reeve/contracts';
import type { Caller } from '@reeve/service-kit';
import { type Clock, type Collections, changedIn, collection, type Decision, type Entry } from '@reeve/store';
import { z } from 'zod';
import type { DomainDirectory } from '../domains/domain-directory.ts';
import { expiring, expiryView, expiryWarnings } from './expiry.ts';
import type { At, RotationStep } from './kinds/kind.ts';
import type { KindName, Kinds } from './kinds/registry.ts';
import { attributesSchema, identifierSchema, type Mapping } from './mapping.ts';

export type Connection = {
  name: string;
  kind: KindName;
  status: 'draft' | 'active';
  /** Of its kind. */
  settings: unknown;
  /** What the identity provider calls itself. */
  issuer: string;
  /** Domains of addresses that this connection alone speaks for in its tenant. */
  domains: string[];
  /** Those of them that rest on a proof by DNS, with the claim that was proven; the others are the platform's word. */
  domainProofs?: { domain: string; domainId: string }[];
  /** Take the provider's word for an address when it does not say whether it is verified. */
  trustEmail: boolean;
  /** Addresses that are told of what of it ends; absent where nobody has named one. */
  contacts?: string[];
  jit: { enabled: boolean; defaultRoles: string[] };
  /** Whose claims say what of a person. */
  attributes: Mapping['attributes'];
  identifier: Mapping['identifier'];
  /** The secret itself is in the vault. */
  secretSetAt: string;
  /** Its name there, and that of the one before (connection-secret.ts); absent for one that the id is the name of. */
  secretName?: string;
  formerSecretName?: string;
  createdAt: string;
  /** How its settings became what they are; absent for the first ones. */
  revision?: Making;
  /** Why what the provider says of itself could not be read again, or was not taken, since when. */
  refreshProblem?: RefreshProblem | null;
  /** Absent while the connection is in use. */
  deletedAt?: Date;
};

export const revisionCauses = ['created', 'updated', 'metadata_refreshed', 'key_rotated', 'rolled_back'] as const;

/** How settings became what they are. */
export type Making = {
  number: number;
  at: string;
  by: Pick<Actor, 'type' | 'id' | 'name'>;
  because: (typeof revisionCauses)[number];
};

/** Of settings that somebody makes by this cause. */
export function making(number: number, because: Making['because'], { cause, at }: { cause: Cause; at: Date }): Making {
  const { type, id, name } = cause.actor;
  return { number, at: at.toISOString(), by: { type, id, name }, because };
}

export type RefreshProblem = { code: ReasonOf<'connection.metadata_refused'>; detail: string; since: string };

export type Connections = Collections<Connection>;

type Version2 = Omit<Connection, 'attributes' | 'identifier'>;
type Version1 = Omit<Version2, 'settings' | 'domains' | 'secretSetAt'> & { metadata: string; clientId: string };

export const connections = collection<Connection>({
  name: 'sso_connections',
  version: 3,
  upgrade(state, from) {
    const nothing = { attributes: {}, identifier: null };
    if (from === 2) return { ...(state as Version2), ...nothing };
    // Version 1 knew OpenID Connect alone.
    const { metadata, clientId, ...rest } = state as Version1;
    const settings = { metadata: JSON.parse(metadata) as unknown, clientId };
    return { ...rest, ...nothing, domains: [], settings, secretSetAt: rest.createdAt };
  },
  // What an identity provider reads of a connection names its id alone.
  globallyUnique: { id: (_, id) => id },
  // What an identity provider signs names its issuer alone.
  foundAcrossTenants: ['issuer'],
  queries: { inOrder: { equality: [] }, byStatus: { equality: ['status'] } },
  expiresAt: ({ deletedAt }) => deletedAt ?? null,
});

const jitSchema = z.strictObject({
  enabled: z.boolean().default(false),
  defaultRoles: z.array(z.enum(['tenant_member', 'tenant_auditor'])).default(['tenant_member']),
});

/** What a caller may say of a connection of whichever kind. */
export const commonSettings = z.strictObject({
  name: z.string().trim().min(1).max(200),
  domains: z
    .array(
      z
        .string()
        .regex(
          /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+([a-z]{2,63}|xn--[a-z0-9-]{1,59})$/,
          'must be a domain, in lowercase ASCII',
        ),
    )
    .max(50),
  trustEmail: z.boolean(),
  contacts: z
    .array(z.email('must be an e-mail address').max(254))
    .max(5)
    .refine(all => new Set(all.map(one => one.toLowerCase())).size === all.length, 'has an address twice')
    .describe('E-mail addresses that are told before something of it ends'),
  jit: jitSchema,
  attributes: attributesSchema,
  identifier: identifierSchema.nullable(),
});
export type CommonSettings = z.infer<typeof commonSettings>;

const commonView = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.string(),
  status: z.enum(['draft', 'active']),
  redirectUri: z.string(),
  domains: z.array(z.string()),
  trustEmail: z.boolean(),
  contacts: z.array(z.string()),
  jit: z.object({ enabled: z.boolean(), defaultRoles: z.array(z.string()) }),
  attributes: attributesSchema,
  identifier: identifierSchema.nullable(),
  expiresAt: z.string().nullable().describe('The earliest of `expiries`'),
  expiries: z.array(expiryView).describe('What of it ends by itself'),
  warnings: z.array(
    z.object({
      code: z.enum([
        ...expiring.flatMap(what => [`${what}_expires_soon` as const, `${what}_expired` as const]),
        'metadata_unreachable',
        'metadata_invalid',
        'metadata_moved',
      ]),
      detail: z.string(),
      since: z.string().nullable(),
    }),
  ),
  revision: z.number().describe('Of its settings: how often they were changed, and one'),
  createdAt: z.string(),
});

/** With the settings of its kind under the kind's own name. */
export const connectionView = (kinds: Kinds) =>
  commonView.extend(Object.fromEntries(Object.entries(kinds).map(([name, { view }]) => [name, view.optional()])));

export type ViewParts = { kinds: Kinds; ownIssuer: string; clock: Clock };

export type ConnectionView = z.infer<typeof commonView> & Partial<Record<KindName, unknown>>;

export function viewOf({ id, state }: Entry<Connection>, { kinds, ownIssuer, clock }: ViewParts): ConnectionView {
  const { name, kind, status, settings, domains, trustEmail, contacts = [], createdAt } = state;
  const { jit, attributes, identifier } = state;
  const { viewOf: viewOfKind, callbackPath, expiries: expiriesOf } = kinds[kind];
  const expiries = expiriesOf(settings).toSorted((one, other) => one.at.getTime() - other.at.getTime());
  return {
    id,
    name,
    kind,
    status,
    redirectUri: ownIssuer + callbackPath(id),
    domains,
    trustEmail,
    contacts,
    jit,
    attributes,
    identifier,
    expiresAt: expiries[0]?.at.toISOString() ?? null,
    expiries: expiries.map(({ what, name: which, at }) => ({ what, name: which, expiresAt: at.toISOString() })),
    warnings: [...expiryWarnings(expiries, clock.now()), ...warningOf(state.refreshProblem ?? null)],
    revision: state.revision?.number ?? 1,
    createdAt,
    [kind]: viewOfKind(settings, id),
  };
}

function warningOf(problem: RefreshProblem | null) {
  if (problem === null) return [];
  const { code, detail, since } = problem;
  const isRead = code === 'metadata_invalid' || code === 'metadata_moved';
  return [{ code: isRead ? code : ('metadata_unreachable' as const), detail, since }];
}

type ConnectionId = Id<'connection'>;

export const secretNameOf = (id: string, { secretName }: Connection): string => secretName ?? id;

/** As its kind works with it, for that cause. */
export function atOf(tenantId: TenantId, { id, state }: Entry<Connection>, cause: Cause): At {
  return { tenantId, id: id as ConnectionId, secretName: secretNameOf(id, state), settings: state.settings, cause };
}

type Why = ReasonOf<'connection.updated'>;

const about = (id: ConnectionId, { name, kind, issuer }: Connection) => ({ id, name, details: { kind, issuer } });

export function draft(id: ConnectionId, connection: Omit<Connection, 'status'>): NonNullable<Decision<Connection>> {
  const state: Connection = { ...connection, status: 'draft' };
  return { state, events: [event('connection.created', { ...about(id, state), because: 'requested' })] };
}

export function activate(id: ConnectionId, connection: Connection): Decision<Connection> {
  if (connection.status === 'active') return null;
  const state: Connection = { ...connection, status: 'active' };
  return { state, events: [event('connection.activated', { ...about(id, state), because: 'requested' })] };
}

export function update(id: ConnectionId, connection: Connection, change: Partial<Connection>): Decision<Connection> {
  const state: Connection = { ...connection, ...change };
  const differing = changedIn(connection, change);
  if (differing.length === 0) return null;
  // What domains rest on is no setting of its own; neither is what went wrong before.
  const names = differing.filter(name => name !== 'refreshProblem');
  const changed = [...new Set(names.map(name => (name === 'domainProofs' ? 'domains' : name)))];
  const because: Why = 'requested';
  const { details, ...target } = about(id, state);
  const updated = event('connection.updated', { ...target, because, details: { ...details, changed } });
  return { state, events: changed.length > 0 ? [updated] : [] };
}

export function remove(id: ConnectionId, connection: Connection, at: Date): Decision<Connection> {
  const { name } = connection;
  return {
    state: { ...connection, deletedAt: at },
    events: [event('connection.deleted', { id, name, because: 'requested' })],
  };
}

/** With the secret as it is, or as it was written a moment ago. */
export function rotateKey(
  id: ConnectionId,
  connection: Connection,
  { step, ...change }: { step: RotationStep } & Partial<Connection>,
): Decision<Connection> {
  const rotated = event('connection.key_rotated', {
    id,
    name: connection.name,
    because: 'requested',
    details: { step },
  });
  return { state: { ...connection, ...change }, events: [rotated] };
}

export function rollBack(
  id: ConnectionId,
  connection: Connection,
  { revision, ...change }: { revision: number } & Omit<Partial<Connection>, 'revision'>,
): Decision<Connection> {
  if (changedIn(connection, change).length === 0) return null;
  const state: Connection = { ...connection, ...change };
  const { details, ...target } = about(id, state);
  const told = { ...details, revision };
  return { state, events: [event('connection.rolled_back', { ...target, because: 'requested', details: told })] };
}

/** Its tenant has lost a domain, by that claim: whatever it rested on, the connection speaks for it no more. */
export function loseDomain(
  id: ConnectionId,
  connection: Connection,
  lost: { domain: string; domainId: string },
): Decision<Connection> {
  const isLost = (domain: string) => domain === lost.domain;
  const { domains, domainProofs = [] } = connection;
  const proof = domainProofs.find(({ domain }) => isLost(domain));
  // Given to it anew by a later claim.
  if (proof !== undefined && proof.domainId !== lost.domainId) return null;
  const state: Connection = {
    ...connection,
    domains: domains.filter(domain => !isLost(domain)),
    domainProofs: domainProofs.filter(({ domain }) => !isLost(domain)),
  };
  if (state.domains.length === domains.length) return null;
  const { details, ...target } = about(id, state);
  const told = { ...details, changed: ['domains'] };
  return { state, events: [event('connection.updated', { ...target, because: 'domain_released', details: told })] };
}

type SpeaksFor = {
  caller: Pick<Caller, 'platform'>;
  tenantId: TenantId;
  /** Null for a connection that is being made. */
  connectionId: string | null;
  domains: readonly string[];
  before: Pick<Connection, 'domains' | 'domainProofs'>;
};

/**
 * Whoever speaks for a domain lets its people into the accounts that have their addresses. So the tenant has proven by
 * DNS that the domain is its own, or the platform says so, and it is said of one connection in a tenant. Returns what
 * the domains rest on: the word of the platform stays what it is, and a proof is looked up anew. Throws
 * `domain_unverified`, or `domain_taken`.
 */
export async function assertMaySpeakFor(
  { connections, domains: directory }: { connections: Connections; domains: DomainDirectory },
  asked: SpeaksFor,
): Promise<Pick<Connection, 'domainProofs'>> {
  const { caller, tenantId, connectionId, domains, before } = asked;
  const proven = new Set(before.domainProofs?.map(({ domain }) => domain));
  const added = domains.filter(domain => proven.has(domain) || !before.domains.includes(domain));
  const domainProofs: Connection['domainProofs'] = [];
  for (const domain of added) {
    const holder = await directory.holderNow(domain);
    if (holder?.tenantId === tenantId) domainProofs.push({ domain, domainId: holder.domainId });
    else if (!caller.platform) throw new ProblemError('domain_unverified', `this tenant has not verified ${domain}`);
    else if (holder) throw new ProblemError('domain_taken', `another tenant has verified ${domain}`);
  }
  const restsOn = domainProofs.length > 0 || before.domainProofs ? { domainProofs } : {};
  if (added.length === 0) return restsOn;
  for await (const { id, state } of connections.in(tenantId).all('inOrder', {})) {
    const taken = id === connectionId ? undefined : added.find(domain => state.domains.includes(domain));
    if (taken !== undefined) throw new ProblemError('domain_taken', `${state.name} speaks for ${taken}`);
  }
  return restsOn;
}
