// An event that Kafka delivers twice is queued once, and wakes the stream in any case: whoever had it before may have
// ended between the two. And what one instance was lost with, another one delivers.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newEventId, newId, serviceCause } from '@reeve/contracts';
import { createLogger } from '@reeve/service-kit';
import { openStore, type Store } from '@reeve/store';
import { engines, eventually, listen } from '@reeve/testing';
import { decodeJwt, exportJWK, generateKeyPair } from 'jose';
import type { SigningKey } from '../signing-keys/signing-keys.ts';
import { pushSignals } from './push-signals.ts';
import { createQueue } from './queue-signals.ts';
import { signals as signalsOf } from './signal.ts';
import { accountChanged, accountDisabled } from './signal-events.ts';
import { open, pushMethod, streams as streamsOf, take, wake } from './stream.ts';

let store: Store;
let key: SigningKey;

beforeAll(async () => {
  store = openStore({
    uri: engines().mongodb,
    database: `signals_${randomUUID().slice(0, 8)}`,
    source: '/test',
    contents: { collections: [streamsOf, signalsOf] },
  });
  await store.prepare();
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  key = { ...(await exportJWK(privateKey)), kid: 'k', alg: 'RS256' };
});
afterAll(() => store.close());

const issuer = 'https://auth.example';
const cause = serviceCause('auth', { correlationId: 'a test' });
const said = accountChanged(issuer, accountDisabled, newId('user'));

async function newStream(endpointUrl: string) {
  const [tenantId, id] = [newId('tenant'), newId('signalStream')];
  const streams = store.collection(streamsOf);
  const delivery = { method: pushMethod, endpointUrl, hasHeader: false } as const;
  const settings = { clientId: newId('client'), delivery, eventsRequested: null, description: null };
  await streams.in(tenantId).create(id, { ...open(id, settings, new Date()), events: [] }, cause);
  const signals = store.collection(signalsOf);
  return {
    tenantId,
    id,
    streams,
    signals,
    queue: createQueue({ streams, signals, clock: store.clock, pushNow: () => {} }),
  };
}
const told = (tenantId: `ten_${string}`) => ({
  id: newEventId(),
  tenantId,
  correlationId: 'c',
  time: new Date().toISOString(),
});

test('an event that comes twice is queued once', async () => {
  const { tenantId, id, signals, streams, queue } = await newStream('https://receiver.example/');
  const one = told(tenantId);
  for (let times = 0; times < 2; times += 1) await queue(one, id, { said, isPushed: true });
  await queue(told(tenantId), id, { said, isPushed: true });
  expect(await signals.in(tenantId).count('byStream', { streamId: id })).toBe(2);
  expect((await streams.in(tenantId).get(id))?.state.dueAt).not.toBeNull();
});

test('two instances push each once, also what a lost one had taken', async () => {
  const heard: string[] = [];
  const receiver = await listen(
    createServer((request, response) => {
      let token = '';
      request.on('data', chunk => {
        token += String(chunk);
      });
      request.on('end', () => {
        heard.push(decodeJwt(token).jti ?? '');
        response.writeHead(202).end();
      });
    }),
  );
  const parts = {
    streams: store.collection(streamsOf),
    signals: store.collection(signalsOf),
    secrets: {} as never,
    tenants: { findNow: () => Promise.resolve({ status: 'active' }) } as never,
    fetch: fetch as never,
    key: () => key,
    issuer,
    clock: store.clock,
    log: createLogger('test', 'silent', process.stdout),
    everyMs: 50,
  };
  const { tenantId, id, queue } = await newStream(receiver.url);
  const all = Array.from({ length: 50 }, () => told(tenantId));
  for (const one of all.slice(0, 25)) await queue(one, id, { said, isPushed: true });
  // One that is lost a moment after it has taken it.
  const lost = { holder: 'lost', now: new Date(Date.now() - 59_500), forMs: 60_000 };
  await parts.streams.in(tenantId).change(
    id,
    stream => {
      const held = stream && take(wake(stream, 'x', new Date()), lost);
      return held && { state: held, events: [] };
    },
    { cause },
  );
  const instances = [pushSignals(parts), pushSignals(parts)];
  for (const one of instances) one.start();
  await pause(200);
  expect(heard).toEqual([]);
  for (const one of all.slice(25)) await queue(one, id, { said, isPushed: true });
  await eventually('all', () => heard.length >= all.length);
  await pause(300);
  await Promise.all(instances.map(one => one.stop()));
  expect(heard).toEqual(all.map(one => one.id));
  expect((await parts.streams.in(tenantId).get(id))?.state).toMatchObject({ dueAt: null, lease: null, failures: 0 });
  await receiver.stop();
});
