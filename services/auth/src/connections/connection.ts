// A tenant's connection to its identity provider. Owns who may come in by it and whose addresses it speaks for; how a
// sign-in goes is the business of its kind (kinds/), whose settings it holds without knowing them. A deleted connection
// is gone at once.
import { event, type Id, ProblemError, type ReasonOf, type TenantId } from '@reeve/contracts';
import type { Caller } from '@reeve/service-kit';
import { type Collections, changedIn, collection, type Decision, type Entry } from '@reeve/store';
import { z } from 'zod';
import type { KindName, Kinds } from './kinds/registry.ts';

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
  /** Take the provider's word for an address when it does not say whether it is verified. */
  trustEmail: boolean;
  jit: { enabled: boolean; defaultRoles: string[] };
  /** The secret itself is in the vault. */
  secretSetAt: string;
  createdAt: string;
  /** Absent while the connection is in use. */
  deletedAt?: Date;
};

export type Connections = Collections<Connection>;

type Version1 = Omit<Connection, 'settings' | 'domains' | 'secretSetAt'> & { metadata: string; clientId: string };

export const connections = collection<Connection>({
  name: 'sso_connections',
  version: 2,
  // Version 1 knew OpenID Connect alone.
  upgrade(state) {
    const { metadata, clientId, ...rest } = state as Version1;
    const settings = { metadata: JSON.parse(metadata) as unknown, clientId };
    return { ...rest, domains: [], settings, secretSetAt: rest.createdAt };
  },
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
    .array(z.string().regex(/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/, 'must be a domain, in lowercase'))
    .max(50),
  trustEmail: z.boolean(),
  jit: jitSchema,
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
  jit: z.object({ enabled: z.boolean(), defaultRoles: z.array(z.string()) }),
  expiresAt: z.string().nullable(),
  createdAt: z.string(),
});

/** With the settings of its kind under the kind's own name. */
export const connectionView = (kinds: Kinds) =>
  commonView.extend(Object.fromEntries(Object.entries(kinds).map(([name, { view }]) => [name, view.optional()])));

export type ViewParts = { kinds: Kinds; ownIssuer: string };

export type ConnectionView = z.infer<typeof commonView> & Partial<Record<KindName, unknown>>;

export function viewOf({ id, state }: Entry<Connection>, { kinds, ownIssuer }: ViewParts): ConnectionView {
  const { name, kind, status, settings, domains, trustEmail, jit, createdAt } = state;
  const { viewOf: viewOfKind, callbackPath, expiresAt } = kinds[kind];
  return {
    id,
    name,
    kind,
    status,
    redirectUri: ownIssuer + callbackPath(id),
    domains,
    trustEmail,
    jit,
    expiresAt: expiresAt(settings)?.toISOString() ?? null,
    createdAt,
    [kind]: viewOfKind(settings),
  };
}

type ConnectionId = Id<'connection'>;
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
  const changed = changedIn(connection, change);
  if (changed.length === 0) return null;
  const because: Why = 'requested';
  const { details, ...target } = about(id, state);
  return { state, events: [event('connection.updated', { ...target, because, details: { ...details, changed } })] };
}

export function remove(id: ConnectionId, connection: Connection, at: Date): Decision<Connection> {
  const { name } = connection;
  return {
    state: { ...connection, deletedAt: at },
    events: [event('connection.deleted', { id, name, because: 'requested' })],
  };
}

type SpeaksFor = {
  caller: Caller;
  tenantId: TenantId;
  /** Null for a connection that is being made. */
  connectionId: string | null;
  domains: readonly string[];
  before: readonly string[];
};

/**
 * Whoever speaks for a domain lets its people into the accounts that have their addresses. So it is said by the
 * platform, until a tenant can prove by DNS that a domain is its own, and of one connection in a tenant. Throws
 * `domain_unverified`, or `domain_taken`.
 */
export async function assertMaySpeakFor(connections: Connections, asked: SpeaksFor): Promise<void> {
  const { caller, tenantId, connectionId, domains, before } = asked;
  const added = domains.filter(domain => !before.includes(domain));
  if (added.length === 0) return;
  if (!caller.platform) throw new ProblemError('domain_unverified', `nobody has verified ${added.join(', ')}`);
  for await (const { id, state } of connections.in(tenantId).all('inOrder', {})) {
    const taken = id === connectionId ? undefined : added.find(domain => state.domains.includes(domain));
    if (taken !== undefined) throw new ProblemError('domain_taken', `${state.name} speaks for ${taken}`);
  }
}
