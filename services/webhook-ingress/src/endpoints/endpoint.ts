// An endpoint: where one connector of one tenant sends its webhooks, how those are signed, and which secrets may sign
// them. The secrets themselves are in the vault.
import { event, type Id, type ReasonOf } from '@reeve/contracts';
import { type Collections, changedIn, collection, type Decision } from '@reeve/store';
import type { SchemeName, SignatureSettings, Source } from '@reeve/webhook-signatures';

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

export const endpoints = collection<Endpoint>({
  name: 'webhook_endpoints',
  version: 2,
  // Version 1 lacked whatever settings were added since the endpoint was made.
  upgrade(state) {
    const known = state as Endpoint;
    return { ...defaultSettings, ...known, signature: known.signature ?? null };
  },
  unique: { installation: endpoint => endpoint.installationId },
  globallyUnique: { id: (_, id) => id },
  queries: { inOrder: { equality: [] } },
});

export function liveSecrets({ secrets }: Endpoint, now: Date): LiveSecret[] {
  return secrets.filter(({ expiresAt }) => expiresAt === null || Date.parse(expiresAt) > now.getTime());
}

type EndpointId = Id<'endpoint'>;

export function open(
  id: EndpointId,
  endpoint: Omit<Endpoint, 'status'>,
  because: ReasonOf<'endpoint.created'>,
): NonNullable<Decision<Endpoint>> {
  const { connectorId, installationId, scheme } = endpoint;
  const details = { connectorId, installationId, scheme };
  return {
    state: { ...endpoint, status: 'active' },
    events: [event('endpoint.created', { id, name: connectorId, because, details })],
  };
}

export function adjust(id: EndpointId, endpoint: Endpoint, settings: Partial<Settings>): Decision<Endpoint> {
  const state: Endpoint = { ...endpoint, ...settings };
  const changed = changedIn(endpoint, settings);
  if (changed.length === 0) return null;
  const about = { id, name: endpoint.connectorId, because: 'requested', details: { changed } } as const;
  return { state, events: [event('endpoint.updated', about)] };
}

/**
 * The previous secrets go on working for `overlapSeconds`, or shorter where they were to end earlier. Null where it was
 * done before.
 */
export function rotate(
  id: EndpointId,
  endpoint: Endpoint,
  { fresh, overlapSeconds, now }: { fresh: LiveSecret; overlapSeconds: number; now: Date },
): Decision<Endpoint> {
  if (endpoint.secrets.some(({ id: known }) => known === fresh.id)) return null;
  const previousExpiresAt = new Date(now.getTime() + overlapSeconds * 1_000).toISOString();
  const kept = liveSecrets(endpoint, now).map(secret => ({
    ...secret,
    expiresAt: secret.expiresAt !== null && secret.expiresAt < previousExpiresAt ? secret.expiresAt : previousExpiresAt,
  }));
  const details = { secretId: fresh.id, previousExpiresAt: kept.length > 0 ? previousExpiresAt : null };
  const about = { id, name: endpoint.connectorId, because: 'requested', details } as const;
  return {
    state: { ...endpoint, secrets: [fresh, ...kept] },
    events: [event('endpoint.secret_rotated', about)],
  };
}

export function disable(
  id: EndpointId,
  endpoint: Endpoint,
  because: ReasonOf<'endpoint.disabled'>,
): Decision<Endpoint> {
  if (endpoint.status === 'disabled') return null;
  const about = { id, name: endpoint.connectorId, because, details: { cause: because } };
  return { state: { ...endpoint, status: 'disabled' }, events: [event('endpoint.disabled', about)] };
}

export function enable(id: EndpointId, endpoint: Endpoint): Decision<Endpoint> {
  if (endpoint.status === 'active') return null;
  const about = { id, name: endpoint.connectorId, because: 'requested', details: { cause: 'requested' } } as const;
  return { state: { ...endpoint, status: 'active' }, events: [event('endpoint.enabled', about)] };
}
