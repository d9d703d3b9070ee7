// Operations that begin at the moment at which their connection is lost.
import { randomUUID } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import { collection } from './definition.ts';
import { openStore, type Store } from './store.ts';

const notes = collection<{ text: string }>({ name: 'notes' });
const uri = process.env['REEVE_TEST_MONGODB'] ?? '';
if (uri === '') throw new Error('there is no store: use `npm test`, which starts one');

const sockets = new Set<Socket>();
const note = (message: unknown) => void sockets.add((message as { socket: Socket }).socket);
const tenantId = newId('tenant');
let store: Store;

beforeAll(async () => {
  subscribe('net.client.socket', note);
  const database = `wake_${randomUUID().slice(0, 8)}`;
  store = openStore({ uri, database, source: '/test', contents: { collections: [notes] } });
  await store.prepare();
});
afterAll(async () => {
  unsubscribe('net.client.socket', note);
  await store.close();
});

const write = (id: string) => store.collection(notes).in(tenantId).put(id, { text: id });

test.each([
  ['in the same moment', () => Promise.resolve()],
  ['a moment later', () => sleep(50)],
])('an operation that begins %s is done on another connection', async (id, later) => {
  expect(sockets.size).toBeGreaterThan(0);
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await later();
  expect(await Promise.race([write(id).then(() => 'done'), sleep(10_000, 'waits', { ref: false })])).toBe('done');
});
