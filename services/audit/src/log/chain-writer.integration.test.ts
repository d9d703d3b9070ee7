// Chains under redelivery, duplicates, crashes and two writers that fight for one partition.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type ChainedRecord, formats, rootOf, rootOfLeaves, verifyLines } from '@reeve/audit-log';
import { newEventId, newId, type TenantId } from '@reeve/contracts';
import { openTestLog, sampleArrival, type TestLog } from '../audit.test-support.ts';
import { type Arrival, createChainWriter } from './chain-writer.ts';
import { frontierOf, type Heads, loadHeads } from './head.ts';
import { fromStored, type Records } from './record.ts';

let opened: TestLog;
let records: Records;
let heads: Heads;
let tenantId: TenantId;
const chainId = 'reeve.auth.v1/0';

beforeAll(async () => {
  opened = await openTestLog();
  ({ records, heads } = opened.log);
});
afterAll(() => opened.store.close());
beforeEach(() => {
  tenantId = newId('tenant');
});

const writer = () => createChainWriter(opened.log);

const arrival = (offset: number, eventId = newEventId()): Arrival =>
  sampleArrival({ tenantId, chain: chainId, offset }, { eventId });

const arrivals = (from: number, count: number) => Array.from({ length: count }, (_, index) => arrival(from + index));
const sequences = (chained: ChainedRecord[]) => chained.map(({ record }) => record.sequence);

const byId = (one: ChainedRecord, other: ChainedRecord) => (one.record.eventId < other.record.eventId ? -1 : 1);

async function stored(): Promise<ChainedRecord[]> {
  const found: ChainedRecord[] = [];
  for await (const { state } of records.in(tenantId).all('byChain', { chain: chainId })) found.push(fromStored(state));
  return found;
}

async function verified() {
  const found = await stored();
  async function* lines() {
    for (const chained of found) yield formats.ndjson.writeRecord(chained, 'k');
  }
  const head = await loadHeads({ records, heads }, chainId, [tenantId]).then(found => found.get(tenantId) ?? null);
  expect(rootOf(frontierOf(head))).toEqual(rootOfLeaves(found.map(({ hash }) => Buffer.from(hash, 'hex'))));
  return verifyLines(lines(), { format: formats.ndjson });
}

describe('a chain', () => {
  test('grows in the order of arrival, over batches and over restarts', async () => {
    const own = writer();
    expect(sequences(await own.append(tenantId, chainId, arrivals(0, 3)))).toEqual([1, 2, 3]);
    expect(sequences(await own.append(tenantId, chainId, arrivals(3, 2)))).toEqual([4, 5]);
    expect(sequences(await writer().append(tenantId, chainId, arrivals(5, 2)))).toEqual([6, 7]);
    expect(await verified()).toMatchObject({ records: 7, finding: null });
  });

  test('is not changed by a redelivery, which gets the records that are there to publish them again', async () => {
    const batch = arrivals(10, 4);
    const first = await writer().append(tenantId, chainId, batch);
    expect(await writer().append(tenantId, chainId, batch)).toEqual(first);
    const longer = [...batch, arrival(14)];
    expect(sequences(await writer().append(tenantId, chainId, longer))).toEqual([1, 2, 3, 4, 5]);
    expect(await verified()).toMatchObject({ records: 5, finding: null });
  });

  test('leaves out what a producer sent twice, within a batch and over batches', async () => {
    const event = newEventId();
    const own = writer();
    await own.append(tenantId, chainId, [arrival(0, event), arrival(1), arrival(2, event)]);
    expect(sequences(await own.append(tenantId, chainId, [arrival(3), arrival(4, event), arrival(5)]))).toEqual([3, 4]);
    expect(await writer().append(tenantId, chainId, [arrival(6, event)])).toEqual([]);
    expect(await verified()).toMatchObject({ records: 4, finding: null });
  });

  test('goes on after a crash between the records and the head', async () => {
    await writer().append(tenantId, chainId, arrivals(0, 3));
    await heads.in(tenantId).remove(chainId);
    expect(sequences(await writer().append(tenantId, chainId, arrivals(3, 2)))).toEqual([4, 5]);
    expect(await verified()).toMatchObject({ records: 5, finding: null });
  });

  test('is not forked by two writers that both believe they own the partition', async () => {
    const [one, other] = [writer(), writer()];
    await one.append(tenantId, chainId, arrivals(0, 1));
    await other.append(tenantId, chainId, arrivals(1, 1));
    // The same deliveries to both, in overlapping batches, at the same time.
    const all = arrivals(2, 60);
    const feed = async (own: ReturnType<typeof writer>, size: number) => {
      for (let at = 0; at < all.length; at += size) await own.append(tenantId, chainId, all.slice(at, at + size));
    };
    await Promise.all([feed(one, 7), feed(other, 5)]);
    expect(await verified()).toMatchObject({ records: 62, finding: null });
    const ids = (await stored()).slice(2).map(({ record }) => record.eventId);
    expect(ids).toEqual(all.map(({ record }) => record.eventId));
  });

  test('grows with those of other tenants in one write, and none of them is changed by what is refused of another', async () => {
    const tenants = Array.from({ length: 12 }, () => newId('tenant'));
    const of = (owner: TenantId, offset: number, eventId = newEventId()): Arrival => {
      const one = arrival(offset, eventId);
      return { ...one, record: { ...one.record, tenantId: owner } };
    };
    const batch = (from: number, count: number) =>
      new Map(
        tenants.map((owner, index) => [
          owner,
          Array.from({ length: count }, (_, n) => of(owner, from + n * tenants.length + index)),
        ]),
      );
    const own = writer();
    const first = batch(0, 3);
    expect(await own.appendAll(chainId, first)).toHaveLength(36);
    // A redelivery, to the same writer and to a new one, is what is there.
    for (const again of [own, writer()])
      expect((await again.appendAll(chainId, first)).toSorted(byId)).toEqual(
        (await own.appendAll(chainId, first)).toSorted(byId),
      );
    // Of one tenant an event comes a second time; of another a place is taken by a second writer.
    const second = batch(100, 4);
    const [one, other] = tenants as [TenantId, TenantId];
    const known = first.get(one)?.[0]?.record.eventId ?? '';
    second.set(one, [...(second.get(one) ?? []), of(one, 200, known)]);
    await writer().append(other, chainId, (second.get(other) ?? []).slice(0, 2));
    const [mine, rival] = [own.appendAll(chainId, second), writer().appendAll(chainId, second)];
    await Promise.all([mine, rival]);
    for (const owner of tenants) {
      tenantId = owner;
      expect(await verified()).toMatchObject({ records: 7, finding: null });
    }
  });

  test('belongs to one tenant: another begins its own', async () => {
    await writer().append(tenantId, chainId, arrivals(0, 2));
    tenantId = newId('tenant');
    expect(sequences(await writer().append(tenantId, chainId, arrivals(2, 1)))).toEqual([1]);
  });
});
