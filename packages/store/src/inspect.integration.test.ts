// What a database is found to lack, over a real one.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import { MongoClient } from 'mongodb';
import { collection } from './definition.ts';
import { journal } from './journal-definition.ts';
import { platformRecords } from './platform-records.ts';
import { openStore, type Store } from './store.ts';

const uri = process.env['REEVE_TEST_MONGODB'];
if (uri === undefined) throw new Error('there is no store: use `npm test`, which starts one');

const database = `inspect_${randomUUID().slice(0, 8)}`;
const things = collection<{ name: string }>({ name: 'things', unique: { name: ({ name }) => name } });
const contents = {
  collections: [things],
  journals: [journal<object>({ name: 'lines', eventsOf: () => [], topics: new Set() })],
  platformRecords: [platformRecords<object>({ name: 'records', reason: 'a test' })],
};
const client = new MongoClient(uri);
const rows = client.db(database).collection<{ _id: string; outbox: object[]; outboxAt: Date }>('things');
let store: Store;

beforeAll(() => {
  store = openStore({ uri, database, source: '/test', contents });
});

afterAll(async () => {
  await store.close();
  await client.db(database).dropDatabase();
  await client.close();
});

test('a database that was never prepared lacks every index, and one that was lacks none', async () => {
  const before = await store.inspect();
  expect(before.missingIndexes).toEqual(
    expect.arrayContaining(['things {"unique.name":1}', 'things {"outboxAt":1}', 'lines_segments {"leaseUntil":1}']),
  );
  await store.prepare();
  expect(await store.inspect()).toMatchObject({
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    members: 1,
    missingIndexes: [],
    overdueOutboxes: [],
  });
});

test('an index that is gone is named, and is there again once the store is prepared', async () => {
  await rows.dropIndex('unique.name_1');
  expect((await store.inspect()).missingIndexes).toEqual(['things {"unique.name":1}']);
  await store.prepare();
  expect((await store.inspect()).missingIndexes).toEqual([]);
});

test('events that nobody publishes are told of by their collection, once they are overdue', async () => {
  const waitsSince = async (ms: number) => {
    const change = { $set: { tenantId: newId('tenant'), outbox: [{}], outboxAt: new Date(Date.now() - ms) } };
    await rows.updateOne({ _id: 'x' }, change, { upsert: true });
    return (await store.inspect()).overdueOutboxes;
  };
  expect(await waitsSince(30_000)).toEqual([]);
  expect(await waitsSince(90_000)).toEqual(['things']);
});

test('its clock is compared with ours', async () => {
  expect(Math.abs((await store.inspect()).clockAheadMs)).toBeLessThan(1_000);
  const late = { now: () => new Date(Date.now() - 60_000), newEventId: () => randomUUID() };
  const other = openStore({ uri, database, source: '/test', contents, clock: late });
  expect((await other.inspect()).clockAheadMs).toBeGreaterThan(59_000);
  await other.close();
});
