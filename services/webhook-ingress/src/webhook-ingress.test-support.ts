import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { type Id, newEventId, serviceCause, type TenantId } from '@reeve/contracts';
import { createEventBus } from '@reeve/event-bus';
import { openStore } from '@reeve/store';
import {
  type Announcer,
  callers,
  engines,
  eventually,
  newVaultKey,
  type RunningService,
  startAnnouncer,
  startService,
  vaultKeyFile,
} from '@reeve/testing';
import { type SchemeName, type SignatureSettings, sign } from '@reeve/webhook-signatures';
import { type Config, configSchema } from './config.ts';
import { contents } from './contents.ts';
import { endpoints, type Endpoint as StoredEndpoint } from './endpoints/endpoint.ts';
import { createService } from './service.ts';

export type Ingress = RunningService & { announcer: Announcer };
export type Endpoint = {
  id: Id<'endpoint'>;
  url: string;
  secret: string;
  status: string;
  secrets: { id: string; lastUsedAt: string | null; expiresAt: string | null }[];
};
export type Delivered = {
  status: number;
  headers: Headers;
  body: { id?: Id<'delivery'>; code?: string; detail?: string };
};

/** One instance, or another one over the same database, beside one that runs. */
export async function startIngress({
  environment = {},
  beside,
}: {
  environment?: Readonly<Record<string, string>>;
  beside?: Ingress;
} = {}): Promise<Ingress> {
  const keyFile = vaultKeyFile(vaultKey);
  const shared = beside && {
    MONGODB_DATABASE: beside.config.MONGODB_DATABASE,
    KAFKA_GROUP_PREFIX: beside.config.KAFKA_GROUP_PREFIX,
  };
  const announcer = beside?.announcer ?? (await startAnnouncer());
  const ingress = await startService<Config, ReturnType<typeof createService>>({
    name: 'webhook-ingress',
    schema: configSchema,
    create: createService,
    environment: { REEVE_VAULT_KEY_FILE: keyFile.path, ...shared, ...environment },
    ...(beside ? { issuer: beside.issuer } : {}),
  });
  keyFile.remove();
  return {
    ...ingress,
    announcer,
    async stop() {
      await ingress.stop();
      if (!beside) await announcer.stop();
    },
  };
}

/** One for all instances of a run, since they share what it seals. */
const vaultKey = newVaultKey();

/** A tenant that the service knows. */
export async function newTenant({ ask, announcer }: Pick<Ingress, 'ask' | 'announcer'>): Promise<TenantId> {
  const { id } = await announcer.newTenant();
  const as = callers.tenantClient(id);
  await eventually('the tenant', async () => (await ask('GET', endpointsOf(id), { as })).status === 200);
  return id;
}

export const endpointsOf = (tenantId: TenantId) => `/v1/tenants/${tenantId}/webhook-endpoints`;

export async function newEndpoint(
  { ask }: Pick<Ingress, 'ask'>,
  tenantId: TenantId,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<Endpoint> {
  const as = callers.tenantClient(tenantId);
  const created = await ask<Endpoint>('POST', endpointsOf(tenantId), {
    as,
    body: { connectorId: 'partner', ...settings },
  });
  if (created.status !== 201) throw new Error(`no endpoint was created: ${JSON.stringify(created.body)}`);
  return created.body;
}

/** Makes of an endpoint what an earlier build let one be. Before its first delivery: it is kept for a second. */
export async function alterEndpoint(
  { config }: Pick<Ingress, 'config'>,
  { tenantId, id }: { tenantId: TenantId; id: Id<'endpoint'> },
  settings: Partial<StoredEndpoint>,
): Promise<void> {
  const store = openStore({ uri: engines().mongodb, database: config.MONGODB_DATABASE, source: '/test', contents });
  const cause = serviceCause('test', { correlationId: newEventId() });
  const decide = (state: StoredEndpoint | null) => state && { state: { ...state, ...settings }, events: [] };
  await store.collection(endpoints).in(tenantId).change(id, decide, { cause });
  await store.close();
}

export type Sending = {
  scheme?: SchemeName;
  settings?: SignatureSettings | null;
  secret?: string;
  id?: string;
  body?: string | Buffer;
  /** Unix seconds. */
  timestamp?: number;
  headers?: Readonly<Record<string, string>>;
  /** Done while all but the first byte of the body has still to come. */
  midway?: () => Promise<unknown>;
};

export const unixNow = () => Math.floor(Date.now() / 1_000);

/** Signs as a partner does, and sends it. `url` may be that of another instance. */
export async function deliver(
  { url, secret: own }: Pick<Endpoint, 'url' | 'secret'>,
  sending: Sending = {},
): Promise<Delivered> {
  const {
    scheme = 'standard',
    settings = null,
    secret = own,
    id = `msg_${randomUUID()}`,
    timestamp = unixNow(),
  } = sending;
  const body = Buffer.from(sending.body ?? '{"a":1}');
  const signature = sign({ scheme, settings, secret, id, timestamp, body });
  const headers = { 'content-type': 'application/json', ...signature, ...sending.headers };
  const { midway } = sending;
  const content = midway
    ? { body: Readable.from(slowly(body, midway)), duplex: 'half' as const }
    : { body: new Uint8Array(body) };
  const response = await fetch(url, { method: 'POST', headers, ...content });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Delivered['body'] };
}

async function* slowly(body: Buffer, midway: () => Promise<unknown>) {
  yield body.subarray(0, 1);
  await midway();
  yield body.subarray(1);
}

export type Payload = { eventId: string; type: string; key: string; body: string };
export type Payloads = Awaited<ReturnType<typeof readPayloads>>;

/** The product: what is on the topic for an endpoint, in the order of its partitions. */
export async function readPayloads() {
  const bus = createEventBus({ brokers: [engines().kafka], clientId: 'test-product' });
  const byEndpoint = new Map<string, Payload[]>();
  const following = await bus.follow('reeve.webhook.payloads.v1', message => {
    const key = message.key?.toString() ?? '';
    const endpointId = key.split(':')[1] ?? '';
    // Not decoded: other tests leave what cannot be.
    const header = (name: string) => String(message.headers?.[name]);
    const found = byEndpoint.get(endpointId) ?? [];
    found.push({ eventId: header('ce_id'), type: header('ce_type'), key, body: message.value?.toString() ?? '' });
    byEndpoint.set(endpointId, found);
  });
  await following.caughtUp;
  const of = (endpointId: string): readonly Payload[] => byEndpoint.get(endpointId) ?? [];
  return {
    of,
    /** Waits until there are so many, which says nothing of what may come after. */
    seen: (endpointId: string, count: number, withinMs?: number): Promise<readonly Payload[]> =>
      eventually(`${count} payloads`, () => (of(endpointId).length >= count ? of(endpointId) : null), withinMs),
    stop: () => bus.stop(),
  };
}
