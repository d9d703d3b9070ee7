import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newEventId } from '@reeve/contracts';
import { platformRecords } from './platform-records.ts';
import { openStore, type Store } from './store.ts';

const uri = process.env['REEVE_TEST_MONGODB'];
if (uri === undefined) throw new Error('there is no store: use `npm test`, which starts one');

type Ticket = { owner: string; uses: number };
const tickets = platformRecords<Ticket>({ name: 'tickets', reason: 'a test', keys: ['owner'] });

const database = `records_${randomUUID().slice(0, 8)}`;
let store: Store;
let now = new Date('2026-11-25T00:00:00Z');
const inAMinute = () => new Date(now.getTime() + 60_000);
const records = () => store.platformRecords(tickets);
const used = (row: Ticket | null) => row && { row: { ...row, uses: row.uses + 1 }, expiresAt: null };

beforeAll(async () => {
  const clock = { now: () => now, newEventId };
  store = openStore({ uri, database, source: '/test', contents: { platformRecords: [tickets] }, clock });
  await store.prepare();
});
afterAll(() => store.close());

describe('a record of an older version', () => {
  type Owned = { owner: string; used: { times: number } };
  const version2 = platformRecords<Owned>({
    name: 'tickets',
    reason: 'a test',
    keys: ['owner'],
    version: 2,
    upgrade(row) {
      const { owner, uses } = row as Ticket;
      return { owner, used: { times: uses } };
    },
  });
  let present: Store;
  const now2 = () => present.platformRecords(version2);
  beforeAll(() => {
    present = openStore({ uri, database, source: '/test', contents: { platformRecords: [version2] } });
  });
  afterAll(() => present.close());

  test('is read as the present one, however it is found', async () => {
    for (const id of ['old-1', 'old-2']) await records().put(id, { owner: 'olga', uses: 3 }, null);
    const expected = { owner: 'olga', used: { times: 3 } };
    expect((await now2().get('old-1'))?.row).toEqual(expected);
    expect((await now2().findBy('owner', 'olga')).map(({ row }) => row)).toEqual([expected, expected]);
    expect(await now2().take('old-2')).toEqual(expected);
  });

  test('is of the present one when it is changed, put or made', async () => {
    const usedOnce = (row: Owned | null) =>
      row && { row: { ...row, used: { times: row.used.times + 1 } }, expiresAt: null };
    await records().put('old-3', { owner: 'otto', uses: 3 }, null);
    await now2().change('old-3', usedOnce);
    await now2().put('old-4', { owner: 'otto', used: { times: 4 } }, null);
    await now2().change('old-5', () => ({ row: { owner: 'otto', used: { times: 4 } }, expiresAt: null }));
    for (const id of ['old-3', 'old-4', 'old-5']) expect((await now2().get(id))?.row.used).toEqual({ times: 4 });
  });
});

describe('a record', () => {
  test('is there until it expires, and its id is free again then', async () => {
    await records().put('a', { owner: 'ada', uses: 0 }, inAMinute());
    expect((await records().get('a'))?.row.owner).toBe('ada');
    now = new Date(now.getTime() + 61_000);
    expect(await records().get('a')).toBeNull();
    expect(await records().findBy('owner', 'ada')).toEqual([]);
    const made = await records().change('a', row => (row ? null : { row: { owner: 'eve', uses: 0 }, expiresAt: null }));
    expect(made?.row.owner).toBe('eve');
  });

  test('is found by a declared key', async () => {
    await records().put('b', { owner: 'bob', uses: 0 }, inAMinute());
    expect((await records().findBy('owner', 'bob')).map(({ id }) => id)).toEqual(['b']);
    await records().removeBy('owner', 'bob');
    expect(await records().get('b')).toBeNull();
  });

  test('that may be used once is taken by one of many', async () => {
    await records().put('c', { owner: 'ada', uses: 0 }, inAMinute());
    const taken = await Promise.all(Array.from({ length: 8 }, () => records().take('c')));
    expect(taken.filter(row => row !== null)).toHaveLength(1);
  });

  test('counts every change of those who change it at once', async () => {
    await records().put('d', { owner: 'ada', uses: 0 }, null);
    await Promise.all(Array.from({ length: 40 }, () => records().change('d', used)));
    expect((await records().get('d'))?.row.uses).toBe(40);
  });

  test('is decided on again when it has changed since it was read', async () => {
    await records().put('e', { owner: 'ada', uses: 0 }, null);
    const known = await records().get('e');
    await records().change('e', used);
    expect((await records().change('e', used, known))?.row.uses).toBe(2);
    expect((await records().change('e', row => (row?.uses === 2 ? null : used(row)), known))?.row.uses).toBe(2);
  });

  test('is made by one of many who know that it is not there', async () => {
    const make = (owner: string) => (row: Ticket | null) => (row ? null : { row: { owner, uses: 0 }, expiresAt: null });
    const made = await Promise.all(['1', '2', '3', '4'].map(owner => records().change('f', make(owner), null)));
    expect(new Set(made.map(one => one?.row.owner)).size).toBe(1);
  });
});
