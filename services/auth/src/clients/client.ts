// An OAuth client of a tenant: a machine with a secret, or an application that signs people in. Only the hash of its secret is kept:
// a random secret of 256 bits needs no slow hash.
import { createHash, randomBytes } from 'node:crypto';
import { because, type EventDraft } from '@reeve/contracts';
import type { Collections, Decision, Entry, Store } from '@reeve/store';
import { z } from 'zod';

export type Client = {
  name: string;
  grantTypes: ('client_credentials' | 'authorization_code' | 'refresh_token')[];
  redirectUris: string[];
  postLogoutRedirectUris: string[];
  secretSha256: string;
  status: 'active' | 'deleted';
  createdAt: string;
};

export type Clients = Collections<Client>;

export const clientView = z.object({
  clientId: z.string(),
  name: z.string(),
  grantTypes: z.array(z.string()),
  redirectUris: z.array(z.string()),
  postLogoutRedirectUris: z.array(z.string()),
  scopes: z.array(z.string()),
  createdAt: z.string(),
});

export function defineClients(store: Store): Clients {
  return store.collections<Client>({
    name: 'clients',
    globallyUnique: { id: (_, id) => id },
    queries: { byStatus: { equality: ['status'] } },
  });
}

export const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
export const newClientSecret = () => randomBytes(32).toString('base64url');

export function viewOf({ id, state }: Entry<Client>, tenantId: string): z.infer<typeof clientView> {
  const { name, grantTypes, redirectUris, postLogoutRedirectUris, createdAt } = state;
  return {
    clientId: id,
    name,
    grantTypes,
    redirectUris,
    postLogoutRedirectUris,
    scopes: [`tenant:${tenantId}`],
    createdAt,
  };
}

function event(type: 'client.created' | 'client.deleted', id: string, tenantId: string, client: Client): EventDraft {
  const common = {
    target: { type: 'client', id, name: client.name },
    outcome: 'success',
    reason: because('requested'),
  } as const;
  if (type === 'client.deleted') return { ...common, type, details: {} };
  return { ...common, type, details: { scopes: [`tenant:${tenantId}`], grantTypes: client.grantTypes } };
}

export function register(id: string, tenantId: string, client: Omit<Client, 'status'>): NonNullable<Decision<Client>> {
  const state: Client = { ...client, status: 'active' };
  return { state, events: [event('client.created', id, tenantId, state)] };
}

export function remove(id: string, tenantId: string, client: Client): Decision<Client> {
  if (client.status === 'deleted') return null;
  return { state: { ...client, status: 'deleted' }, events: [event('client.deleted', id, tenantId, client)] };
}
