// A tenant's connection to its identity provider. What was discovered is pinned when the connection is made: a later change of the
// discovery document cannot move our users to other endpoints or keys. The client secret is in the vault.
import { because, type EventDraft } from '@reeve/contracts';
import type { Collections, Decision, Entry, Store } from '@reeve/store';
import { z } from 'zod';

export type Connection = {
  name: string;
  kind: 'oidc';
  status: 'draft' | 'active';
  issuer: string;
  /** The pinned discovery document, as JSON. */
  metadata: string;
  clientId: string;
  /** Take the provider's word for an address that it does not call verified. */
  trustEmail: boolean;
  jit: { enabled: boolean; defaultRoles: string[] };
  createdAt: string;
};

export type Connections = Collections<Connection>;

export const clientSecretClass = 'connection-client-secret';

export const connectionView = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.literal('oidc'),
  status: z.enum(['draft', 'active']),
  redirectUri: z.string(),
  oidc: z.object({ issuer: z.string(), clientId: z.string() }),
  trustEmail: z.boolean(),
  jit: z.object({ enabled: z.boolean(), defaultRoles: z.array(z.string()) }),
  createdAt: z.string(),
});

export function defineConnections(store: Store): Connections {
  return store.collections<Connection>({
    name: 'sso_connections',
    globallyUnique: { id: (_, id) => id },
    queries: { inOrder: { equality: [] }, byStatus: { equality: ['status'] } },
  });
}

export const redirectUriOf = (issuer: string, connectionId: string) => `${issuer}/oidc/${connectionId}/callback`;

export function viewOf({ id, state }: Entry<Connection>, ownIssuer: string): z.infer<typeof connectionView> {
  const { name, kind, status, issuer, clientId, trustEmail, jit, createdAt } = state;
  return {
    id,
    name,
    kind,
    status,
    redirectUri: redirectUriOf(ownIssuer, id),
    oidc: { issuer, clientId },
    trustEmail,
    jit,
    createdAt,
  };
}

function event(
  type: 'connection.created' | 'connection.activated',
  id: string,
  { name, kind, issuer }: Connection,
): EventDraft {
  return {
    type,
    target: { type: 'connection', id, name },
    outcome: 'success',
    reason: because('requested'),
    details: { kind, issuer },
  };
}

export function draft(id: string, connection: Omit<Connection, 'status' | 'kind'>): NonNullable<Decision<Connection>> {
  const state: Connection = { ...connection, kind: 'oidc', status: 'draft' };
  return { state, events: [event('connection.created', id, state)] };
}

export function activate(id: string, connection: Connection): Decision<Connection> {
  if (connection.status === 'active') return null;
  const state: Connection = { ...connection, status: 'active' };
  return { state, events: [event('connection.activated', id, state)] };
}
