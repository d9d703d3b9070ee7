// An endpoint: where one connector of one tenant sends its webhooks, and which secrets it may sign with. The secrets themselves are in the vault.
import { because, type EventDraft } from '@reeve/contracts';
import type { Collections, Decision, Entry, Store } from '@reeve/store';
import { z } from 'zod';

export type LiveSecret = { id: string; createdAt: string; expiresAt: string | null };

export type Endpoint = {
  connectorId: string;
  installationId: string | null;
  scheme: 'standard';
  status: 'active' | 'disabled';
  toleranceSeconds: number;
  /** Newest first. */
  secrets: LiveSecret[];
  createdAt: string;
};

export type Endpoints = Collections<Endpoint>;

export const defaultToleranceSeconds = 300;
/** How long the previous secret goes on working after a rotation. */
const secretOverlapMs = 24 * 3_600_000;

export const endpointView = z.object({
  id: z.string(),
  url: z.string(),
  connectorId: z.string(),
  installationId: z.string().nullable(),
  scheme: z.literal('standard'),
  status: z.enum(['active', 'disabled']),
  toleranceSeconds: z.number(),
  secrets: z.array(z.object({ id: z.string(), createdAt: z.string(), expiresAt: z.string().nullable() })),
  createdAt: z.string(),
});

export function defineEndpoints(store: Store): Endpoints {
  return store.collections<Endpoint>({
    name: 'webhook_endpoints',
    unique: { installation: endpoint => endpoint.installationId },
    globallyUnique: { id: (_, id) => id },
    queries: { inOrder: { equality: [] } },
  });
}

export function viewOf({ id, state }: Entry<Endpoint>, selfUrl: string): z.infer<typeof endpointView> {
  return { id, url: `${selfUrl}/hooks/${id}`, ...state };
}

const target = (id: string, { connectorId }: Endpoint) => ({ type: 'webhook_endpoint', id, name: connectorId });

export function open(
  id: string,
  endpoint: Omit<Endpoint, 'status' | 'scheme'>,
  why: string,
): NonNullable<Decision<Endpoint>> {
  const state: Endpoint = { ...endpoint, scheme: 'standard', status: 'active' };
  const { connectorId, installationId, scheme } = state;
  const details = { connectorId, installationId, scheme };
  return {
    state,
    events: [
      { type: 'endpoint.created', target: target(id, state), outcome: 'success', reason: because(why), details },
    ],
  };
}

export function rotate(id: string, endpoint: Endpoint, fresh: LiveSecret, now: Date): Decision<Endpoint> {
  const previousExpiresAt = new Date(now.getTime() + secretOverlapMs).toISOString();
  const kept = endpoint.secrets
    .filter(secret => secret.expiresAt === null || secret.expiresAt > now.toISOString())
    .map(secret => ({ ...secret, expiresAt: secret.expiresAt ?? previousExpiresAt }));
  const state: Endpoint = { ...endpoint, secrets: [fresh, ...kept] };
  const details = { secretId: fresh.id, previousExpiresAt: kept.length > 0 ? previousExpiresAt : null };
  return {
    state,
    events: [
      {
        type: 'endpoint.secret_rotated',
        target: target(id, state),
        outcome: 'success',
        reason: because('requested'),
        details,
      },
    ],
  };
}

export function turn(id: string, endpoint: Endpoint, status: Endpoint['status'], cause: string): Decision<Endpoint> {
  if (endpoint.status === status) return null;
  const state: Endpoint = { ...endpoint, status };
  const type = status === 'active' ? 'endpoint.enabled' : 'endpoint.disabled';
  const event: EventDraft = {
    type,
    target: target(id, state),
    outcome: 'success',
    reason: because(cause),
    details: { cause },
  };
  return { state, events: [event] };
}

export function liveSecrets({ secrets }: Endpoint, now: Date): LiveSecret[] {
  return secrets.filter(({ expiresAt }) => expiresAt === null || Date.parse(expiresAt) > now.getTime());
}
