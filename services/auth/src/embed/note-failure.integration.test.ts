// What pages met with, as it comes to the log: it adds up, however many come at once, and whoever tells the rest.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type EmbeddedFailure, emptyContext, type Message, newEventId, newId } from '@reeve/contracts';
import { openStore, type Store } from '@reeve/store';
import { engines, eventually } from '@reeve/testing';
import { contents } from '../contents.ts';
import { embedFailures, windowMs } from './embed-failure.ts';
import { createNoteFailures } from './note-failure.ts';

const tenantId = newId('tenant');
const actor = { type: 'stranger', id: null, name: null, via: 'client' } as const;
const origin = 'https://portal.acme.example';

type Process = ReturnType<typeof createNoteFailures> & { isLater: () => void };

let database: string;
let stores: Store[];
let running: Process[];
let topic: Message[];
let failed: unknown[];

beforeEach(() => {
  database = `failures_${randomUUID().slice(0, 8)}`;
  [stores, running, topic, failed] = [[], [], [], []];
});
afterEach(async () => {
  await Promise.all(running.map(one => one.stop()));
  await Promise.all(stores.map(store => store.close()));
});

/** Its ten minutes are over when it says so. */
async function startProcess(): Promise<Process> {
  const store = openStore({ uri: engines().mongodb, database, source: '/test', contents });
  stores.push(store);
  await store.prepare();
  store.startPublishing({
    publish: messages => Promise.resolve(void topic.push(...messages)),
    findPublished: () => Promise.resolve(new Set<string>()),
    once: false,
  });
  let now = new Date(Date.now() - 2 * windowMs);
  const notes = createNoteFailures({
    failures: store.collection(embedFailures),
    clock: { now: () => now, newEventId },
    onError: error => void failed.push(error),
  });
  const process = { ...notes, isLater: () => void (now = new Date()) };
  running.push(process);
  return process;
}

function noteMany({ note }: Process, code: EmbeddedFailure, count: number): void {
  const cause = { actor, context: emptyContext, correlationId: 'test' };
  for (let one = 0; one < count; one += 1) note({ tenantId, code, origin, authKey: 'default', cause });
}

const told = (code: EmbeddedFailure) =>
  topic.flatMap(({ event }) => {
    const data = event.data as { reason: { code: string }; details: { count?: number; origin: string | null } };
    return data.reason.code === code ? [data.details] : [];
  });
const sumOf = (code: EmbeddedFailure) => told(code).reduce((sum, { count = 1 }) => sum + count, 0);

test('what comes beyond the first three is told once, when the ten minutes are over, whoever looks', async () => {
  const processes = [await startProcess(), await startProcess()];
  for (const one of processes)
    for (let round = 0; round < 20; round += 1) {
      noteMany(one, 'unknown_auth_key', 1);
      await pause(5);
    }
  noteMany(processes[0] as Process, 'popup_blocked', 1);
  await eventually('the first', () => told('unknown_auth_key').length === 3 && told('popup_blocked').length === 1);
  expect(told('popup_blocked')).toEqual([{ origin, authKey: 'default' }]);
  for (const one of processes) {
    one.isLater();
    one.start();
  }
  await eventually('all of it', () => sumOf('unknown_auth_key') >= 40);
  await pause(500);
  expect([sumOf('unknown_auth_key'), told('unknown_auth_key').length, sumOf('popup_blocked')]).toEqual([40, 4, 1]);
  expect(failed).toEqual([]);
}, 30_000);

test('what was noted is written before it stops', async () => {
  const one = await startProcess();
  noteMany(one, 'redirect_loop', 500);
  await one.stop();
  expect(await stores[0]?.collection(embedFailures).in(tenantId).get('redirect_loop')).toMatchObject({
    state: { count: 500, origin },
  });
  expect(failed).toEqual([]);
});
