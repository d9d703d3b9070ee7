// Counts of what was refused or repeated: they add up, whoever is held up.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { emptyContext, type Message, newEventId, newId } from '@reeve/contracts';
import { openStore, type Store } from '@reeve/store';
import { engines, eventually } from '@reeve/testing';
import { contents } from '../contents.ts';
import { createTallies, type Kind, type Tallies, tallies as talliesOf } from './tallies.ts';

const tenantId = newId('tenant');
const endpointId = newId('endpoint');
const forged: Kind = { type: 'delivery.rejected', reason: 'signature' };
const repeated: Kind = { type: 'delivery.duplicated', reason: 'same_id' };
const actor = { type: 'stranger', id: null, name: null, via: 'client' } as const;

let database: string;
let stores: Store[];
let running: Tallies[];
let topic: Message[];

beforeEach(() => {
  database = `tallies_${randomUUID().slice(0, 8)}`;
  [stores, running, topic] = [[], [], []];
});
afterEach(async () => {
  await Promise.all(running.map(({ closing }) => closing.stop()));
  await Promise.all(stores.map(store => store.close()));
});

/** Its minute is over already, so that whoever looks closes it. */
async function startProcess(): Promise<Tallies> {
  const store = openStore({ uri: engines().mongodb, database, source: '/test', contents });
  stores.push(store);
  await store.prepare();
  store.startPublishing({
    publish: messages => Promise.resolve(void topic.push(...messages)),
    findPublished: () => Promise.resolve(new Set<string>()),
    once: false,
  });
  const lastMinutes = new Date(Date.now() - 180_000);
  const tallies = createTallies({
    store: { clock: { now: () => lastMinutes, newEventId }, recordFact: store.recordFact },
    rows: store.collection(talliesOf),
    onError: () => undefined,
  });
  running.push(tallies);
  return tallies;
}

async function countMany(tallies: Tallies, kind: Kind, howMany: number): Promise<void> {
  const cause = () => ({ actor, context: emptyContext, correlationId: 'test' });
  const one = { kind, tenantId, endpointId, webhookId: 'w', bytes: 7, cause };
  await Promise.all(Array.from({ length: howMany }, () => tallies.count(one)));
}

type Details = { count?: number; bytes: number };

const reported = ({ type }: Kind) =>
  topic.flatMap(({ event }) => (event.type === type ? [(event.data as { details: Details }).details] : []));
const sumOf = (kind: Kind) => reported(kind).reduce((sum, { count = 1 }) => sum + count, 0);

describe('what a minute brought', () => {
  test('is an event each for the first ten, and one with the count of the others', async () => {
    const tallies = await startProcess();
    await countMany(tallies, forged, 25);
    await countMany(tallies, repeated, 3);
    tallies.closing.start();
    await eventually('all of it', () => sumOf(forged) >= 25 && sumOf(repeated) >= 3);
    await pause(300);
    expect(
      reported(forged)
        .map(({ count = 1 }) => count)
        .toSorted((one, other) => one - other),
    ).toEqual([...Array.from({ length: 10 }, () => 1), 15]);
    expect(reported(forged).find(({ count }) => count === 15)?.bytes).toBe(15 * 7);
    expect(reported(repeated)).toHaveLength(3);
  });

  test('is reported once, though several processes look', async () => {
    const processes = [await startProcess(), await startProcess(), await startProcess()];
    for (const tallies of processes) await countMany(tallies, forged, 30);
    for (const tallies of processes) tallies.closing.start();
    await eventually('all of it', () => sumOf(forged) >= 90);
    await pause(1_000);
    expect(sumOf(forged)).toBe(90);
    expect(reported(forged).filter(({ count }) => count !== undefined)).toHaveLength(3);
  });

  test('adds up also where a process was held up, and another one has closed its minute meanwhile', async () => {
    const [heldUp, other] = [await startProcess(), await startProcess()];
    await countMany(heldUp, forged, 15);
    other.closing.start();
    await eventually('the first fifteen', () => sumOf(forged) >= 15);
    await countMany(heldUp, forged, 4);
    await eventually('the four', () => sumOf(forged) >= 19);
    await pause(1_000);
    expect(sumOf(forged)).toBe(19);
  });
});
