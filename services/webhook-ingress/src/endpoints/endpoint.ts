// An endpoint: where one connector of one tenant sends its webhooks, how those are signed, and which secrets may sign them. The secrets
// themselves are in the vault.
import { because, type EventDraft } from '@reeve/contracts';
import type { Collections, Decision, Entry, Store } from '@reeve/store';
import { type SchemeName, type SignatureSettings, type Source, schemeNames, schemeOf } from '@reeve/webhook-signatures';
import { z } from 'zod';

export type LiveSecret = { id: string; createdAt: string; expiresAt: string | null };

export type Settings = {
  toleranceSeconds: number;
  /** Null for the place that the scheme defines. */
  idFrom: Source | null;
  trustUnsignedIds: boolean;
  sequenceFrom: Source | null;
  orderingKeyFrom: Source | null;
  ordered: boolean;
  holdSeconds: number;
  onGap: 'release' | 'refuse';
  limits: { perSecond: number };
  allowedIps: string[];
  contentTypes: string[];
};

export type Endpoint = Settings & {
  connectorId: string;
  installationId: string | null;
  scheme: SchemeName;
  /** For `hmac` and `ed25519`. */
  signature: SignatureSettings | null;
  status: 'active' | 'disabled';
  /** Newest first. */
  secrets: LiveSecret[];
  createdAt: string;
};

export type Endpoints = Collections<Endpoint>;

export const defaultSettings: Settings = {
  toleranceSeconds: 300,
  idFrom: null,
  trustUnsignedIds: false,
  sequenceFrom: null,
  orderingKeyFrom: null,
  ordered: false,
  holdSeconds: 30,
  onGap: 'release',
  limits: { perSecond: 1_000 },
  allowedIps: [],
  contentTypes: [],
};

export const endpointView = z.object({
  id: z.string(),
  url: z.string(),
  connectorId: z.string(),
  installationId: z.string().nullable(),
  scheme: z.enum(schemeNames),
  signature: z.record(z.string(), z.string().nullable()).nullable(),
  status: z.enum(['active', 'disabled']),
  toleranceSeconds: z.number(),
  idFrom: z.string().nullable(),
  trustUnsignedIds: z.boolean(),
  sequenceFrom: z.string().nullable(),
  orderingKeyFrom: z.string().nullable(),
  ordered: z.boolean(),
  holdSeconds: z.number(),
  onGap: z.enum(['release', 'refuse']),
  limits: z.object({ perSecond: z.number() }),
  allowedIps: z.array(z.string()),
  contentTypes: z.array(z.string()),
  secrets: z.array(
    z.object({
      id: z.string(),
      createdAt: z.string(),
      lastUsedAt: z.string().nullable(),
      expiresAt: z.string().nullable(),
    }),
  ),
  createdAt: z.string(),
});

export type EndpointView = z.infer<typeof endpointView>;

export function defineEndpoints(store: Store): Endpoints {
  return store.collections<Endpoint>({
    name: 'webhook_endpoints',
    unique: { installation: endpoint => endpoint.installationId },
    globallyUnique: { id: (_, id) => id },
    queries: { inOrder: { equality: [] } },
  });
}

/** With every setting: an endpoint of an earlier release lacks what was added since. */
export function complete(endpoint: Endpoint): Endpoint {
  return { ...defaultSettings, ...endpoint, signature: endpoint.signature ?? null };
}

/** Where the event id stands, and whether the signature covers it. */
export function idSource({ scheme, signature, idFrom }: Endpoint): { from: Source | null; signed: boolean } {
  const own = schemeOf(scheme, signature).id;
  if (idFrom === null) return own ?? { from: null, signed: true };
  return { from: idFrom, signed: idFrom.startsWith('body:') || (own?.signed === true && own.from === idFrom) };
}

export function viewOf(
  { id, state }: Entry<Endpoint>,
  selfUrl: string,
  lastUsed: ReadonlyMap<string, string>,
): EndpointView {
  return {
    id,
    url: `${selfUrl}/hooks/${id}`,
    ...complete(state),
    idFrom: idSource(state).from,
    secrets: state.secrets.map(secret => ({ ...secret, lastUsedAt: lastUsed.get(secret.id) ?? null })),
  };
}

const target = (id: string, { connectorId }: Endpoint) => ({ type: 'webhook_endpoint', id, name: connectorId });

export function open(id: string, endpoint: Omit<Endpoint, 'status'>, why: string): NonNullable<Decision<Endpoint>> {
  const state: Endpoint = { ...endpoint, status: 'active' };
  const { connectorId, installationId, scheme } = state;
  const details = { connectorId, installationId, scheme };
  return {
    state,
    events: [
      { type: 'endpoint.created', target: target(id, state), outcome: 'success', reason: because(why), details },
    ],
  };
}

export function adjust(id: string, endpoint: Endpoint, settings: Partial<Settings>): Decision<Endpoint> {
  const before = complete(endpoint);
  const state: Endpoint = { ...before, ...settings };
  const changed = (Object.keys(settings) as (keyof Settings)[]).filter(
    name => JSON.stringify(state[name]) !== JSON.stringify(before[name]),
  );
  if (changed.length === 0) return null;
  const event: EventDraft = {
    type: 'endpoint.updated',
    target: target(id, state),
    outcome: 'success',
    reason: because('requested'),
    details: { changed },
  };
  return { state, events: [event] };
}

/** The previous secrets go on working for `overlapSeconds`, or shorter where they were to end earlier. */
export function rotate(
  id: string,
  endpoint: Endpoint,
  { fresh, overlapSeconds, now }: { fresh: LiveSecret; overlapSeconds: number; now: Date },
): Decision<Endpoint> {
  const previousExpiresAt = new Date(now.getTime() + overlapSeconds * 1_000).toISOString();
  const kept = endpoint.secrets
    .filter(secret => secret.expiresAt === null || secret.expiresAt > now.toISOString())
    .map(secret => ({
      ...secret,
      expiresAt:
        secret.expiresAt !== null && secret.expiresAt < previousExpiresAt ? secret.expiresAt : previousExpiresAt,
    }));
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
