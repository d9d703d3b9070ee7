import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type EventDraft, newId, serviceCause } from '@reeve/contracts';
import type { Route } from '@reeve/service-kit';
import { openStore, type Store } from '@reeve/store';
import { defineHeads, defineRecords } from '../chains/chain-store.ts';
import { createChainWriter } from '../chains/chain-writer.ts';
import { sampleArrival } from '../chains/sample-arrival.ts';
import { rebuildSearch } from './rebuild-search.ts';
import { search } from './search-events.ts';

const uri = process.env['REEVE_TEST_MONGODB'];
if (uri === undefined) throw new Error('there is no store: use `npm test`, which starts one');

let store: Store;
let records: ReturnType<typeof defineRecords>;
let heads: ReturnType<typeof defineHeads>;
const recorded: EventDraft[] = [];

beforeAll(async () => {
  store = openStore({ uri, database: `rebuild_${randomUUID().slice(0, 8)}`, source: '/test' });
  records = defineRecords(store);
  heads = defineHeads(store);
  await store.prepare();
});
afterAll(() => store.close());

test('what search misses is found again after a rebuild, which goes through every chain in portions and says what it did', async () => {
  const tenantId = newId('tenant');
  const writer = createChainWriter({ records, heads, clock: store.clock });
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
  const route: Route = rebuildSearch({ records, heads, recordFact: async (_, event) => void recorded.push(event) });
  const rebuild = async () => {
    const totals = { looked: 0, rebuilt: 0, calls: 0 };
    let after: unknown;
    do {
      const request = {
        params: {},
        body: { limit: 2, after },
        query: {},
        tenantId,
        cause: serviceCause('test', { correlationId: 'c' }),
      };
      const result = await route.handle(request as unknown as Parameters<Route['handle']>[0]);
      if (!('body' in result)) throw new Error('no answer');
      const { looked, rebuilt, next } = result.body as { looked: number; rebuilt: number; next: unknown };
      totals.looked += looked;
      totals.rebuilt += rebuilt;
      totals.calls += 1;
      after = next ?? undefined;
    } while (after !== undefined);
    return totals;
  };
  const found = async () => (await search(records, tenantId, { filters: { text: 'ada' }, limit: 50 })).items.length;

  expect(await rebuild()).toEqual({ looked: 10, rebuilt: 0, calls: 6 });
  expect(recorded).toEqual([]);
  expect(await found()).toBe(10);
  const { items } = await search(records, tenantId, { filters: {}, limit: 50 });
  await records.in(tenantId).patch(
    items.slice(0, 3).map(({ id }) => id),
    { words: [], searchVersion: 0 },
  );
  expect(await found()).toBe(7);
  expect(await rebuild()).toMatchObject({ looked: 10, rebuilt: 3 });
  expect(await found()).toBe(10);
  expect(recorded.map(({ type }) => type)).toContain('search.rebuilt');
});
