// What the tests of this service share: a store with a log and a key, and events as they arrive.
import { randomUUID } from 'node:crypto';
import type { KeySet } from '@reeve/audit-log';
import {
  type Cause,
  emptyContext,
  type Message,
  newEventId,
  newId,
  serviceCause,
  type TenantId,
} from '@reeve/contracts';
import type { Route } from '@reeve/service-kit';
import { type Clock, openStore, type Store, type StoreOptions } from '@reeve/store';
import { engines } from '@reeve/testing';
import { exportJWK, generateKeyPair } from 'jose';
import { contents } from './contents.ts';
import { type Arrival, createChainWriter } from './log/chain-writer.ts';
import { type Log, openLog } from './log/log.ts';
import type { SigningKey } from './log/signing-key.ts';

type FreshId = typeof newId;
export type TestLog = {
  store: Store;
  database: string;
  log: Log;
  key: SigningKey;
  keys: KeySet;
  published: Message[];
};

const mostAtOnce = 500;

type Opening = {
  clock?: Clock;
  /** Whose database it shares. */
  of?: TestLog;
  onCommand?: NonNullable<StoreOptions['onCommand']>;
};

export async function openTestLog({ clock, of, onCommand }: Opening = {}): Promise<TestLog> {
  const database = of?.database ?? `audit_${randomUUID().slice(0, 8)}`;
  const key = of?.key ?? (await newKey());
  const { d: _, ...publicPart } = key;
  const keys: KeySet = { keys: [publicPart] };
  const published: Message[] = [];
  const store = openStore({
    uri: engines().mongodb,
    database,
    source: '/test',
    contents,
    ...(clock ? { clock } : {}),
    ...(onCommand ? { onCommand } : {}),
  });
  await store.prepare();
  store.startPublishing({
    publish: messages => Promise.resolve(void published.push(...messages)),
    findPublished: () => Promise.resolve(new Set()),
    once: false,
  });
  return { store, database, log: openLog(store, () => key), key, keys, published };
}

async function newKey(): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair('Ed25519', { extractable: true });
  return { ...(await exportJWK(privateKey)), kid: 'k' };
}

/** There are no requests to give way to. */
export const giveWay = (): Promise<void> => Promise.resolve();

/** An event as it arrives, of which each test says only what matters to it. */
export function sampleArrival(
  { tenantId, chain, offset }: { tenantId: TenantId; chain: string; offset: number },
  changes: Partial<Arrival['record']> = {},
): Arrival {
  return {
    offset: String(offset),
    record: {
      tenantId,
      chain,
      eventId: newEventId(),
      type: 'session.created',
      source: '/test',
      subject: 'session/1',
      time: new Date().toISOString(),
      correlationId: 'c',
      causationId: null,
      traceId: null,
      actor: { type: 'user', id: 'usr', name: 'Zoë\n☃', via: 'session' },
      target: { type: 'session', id: 's', name: null },
      outcome: 'success',
      reason: { code: 'x', rule: null, basis: null },
      context: emptyContext,
      details: { userId: 'usr' },
      ...changes,
    },
  };
}

type Growth = {
  tenantId: TenantId;
  chain: string;
  /** Offset of the first. */
  from: number;
  count: number;
  changes?: (n: number) => Partial<Arrival['record']>;
  onAppended?: (tenantId: TenantId) => void;
};

export async function growLog(
  log: Pick<Log, 'records' | 'heads' | 'clock'>,
  { tenantId, chain, from, count, changes = () => ({}), onAppended = () => undefined }: Growth,
): Promise<void> {
  const writer = createChainWriter({ ...log, onAppended });
  const arrivals = Array.from({ length: count }, (_, n) =>
    sampleArrival({ tenantId, chain, offset: from + n }, changes(n)),
  );
  for (let at = 0; at < count; at += mostAtOnce)
    await writer.append(tenantId, chain, arrivals.slice(at, at + mostAtOnce));
}

type Call = {
  tenantId: TenantId;
  params?: Record<string, string>;
  body?: unknown;
  query?: unknown;
  cause?: Cause;
  expectedVersion?: number;
  freshId?: FreshId;
  signal?: AbortSignal;
};

/** What the handler of a route answers to somebody who was let in, and whose input was found to be valid. */
export async function callRoute<T>(route: Route, call: Call): Promise<T> {
  const asked = {
    params: {},
    body: undefined,
    query: {},
    cause: serviceCause('test', { correlationId: 'c' }),
    freshId: newId,
    signal: new AbortController().signal,
    ...call,
  };
  const reply = await route.handle(asked as unknown as Parameters<Route['handle']>[0]);
  if (!('body' in reply)) throw new Error('it does not answer with a body');
  return reply.body as T;
}
