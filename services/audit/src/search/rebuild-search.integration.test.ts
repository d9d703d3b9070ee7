import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import type { Store } from '@reeve/store';
import { callRoute, giveWay, openTestLog, sampleArrival, type TestLog } from '../audit.test-support.ts';
import { createChainWriter } from '../log/chain-writer.ts';
import { findRecords } from '../log/find-records.ts';
import { rebuildSearch } from './rebuild-search.ts';

let opened: TestLog;

beforeAll(async () => {
  opened = await openTestLog();
});
afterAll(() => opened.store.close());

test('what search misses is found again after a rebuild, which goes through every chain in portions and says what it did', async () => {
  const tenantId = newId('tenant');
  const { records, heads } = opened.log;
  const writer = createChainWriter(opened.log);
  for (const name of ['a/0', 'b/0'])
    for (let offset = 0; offset < 5; offset += 1) {
      const arrival = sampleArrival(
        { tenantId, chain: name, offset },
        {
          type: 'user.created',
          actor: { type: 'user', id: 'usr', name: 'Ada', via: 'session' },
          details: { zebra: 'last', email: 'ada@example.org', apple: 'first' },
        },
      );
      await writer.append(tenantId, name, [arrival]);
    }
  const recorded: string[] = [];
  const recordFact: Store['recordFact'] = async (_, events) => {
    for (const one of [events].flat()) recorded.push(one.type);
  };
  const route = rebuildSearch({ records, heads, recordFact, giveWay });
  const rebuild = async () => {
    const totals = { looked: 0, rebuilt: 0, calls: 0 };
    let after: unknown;
    do {
      const portion = await callRoute<{ looked: number; rebuilt: number; next: unknown }>(route, {
        tenantId,
        body: { limit: 2, after },
      });
      totals.looked += portion.looked;
      totals.rebuilt += portion.rebuilt;
      totals.calls += 1;
      after = portion.next ?? undefined;
    } while (after !== undefined);
    return totals;
  };
  const found = async () =>
    (await findRecords(records, tenantId, { filters: { text: 'ada' }, limit: 50 })).items.length;

  expect(await rebuild()).toEqual({ looked: 10, rebuilt: 0, calls: 6 });
  expect(recorded).toEqual([]);
  expect(await found()).toBe(10);
  const { items } = await findRecords(records, tenantId, { filters: {}, limit: 50 });
  await records.in(tenantId).patch(
    items.slice(0, 3).map(({ id }) => id),
    { words: [], searchVersion: 0 },
  );
  expect(await found()).toBe(7);
  expect(await rebuild()).toMatchObject({ looked: 10, rebuilt: 3 });
  expect(await found()).toBe(10);
  expect(recorded).toContain('search.rebuilt');
});
