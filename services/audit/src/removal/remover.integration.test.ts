// Removal over a real store: what is left verifies, whatever was removed in which order, and legal holds win.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  consistencyPath,
  formats,
  inclusionPath,
  type KeySet,
  type Verification,
  verifyConsistency,
  verifyInclusion,
  verifyLines,
} from '@reeve/audit-log';
import { type Id, newEventId, newId, serviceCause, type TenantId } from '@reeve/contracts';
import type { Clock } from '@reeve/store';
import { giveWay, growLog, openTestLog, sampleArrival, type TestLog } from '../audit.test-support.ts';
import { createChainWriter } from '../log/chain-writer.ts';
import { createCheckpointer } from '../log/checkpointer.ts';
import { linesOfExport, planExport } from '../log/export-lines.ts';
import { type Position, readAfter } from '../log/read-after.ts';
import { fromStored } from '../log/record.ts';
import { subtreesOf } from '../log/record-tree.ts';
import { nextHour } from '../sinks/hourly-objects.ts';
import { cancel, confirm, type DeletionRequest, deletionRequests, request } from './deletion-request.ts';
import { type Hold, holds } from './legal-hold.ts';
import { batchEnded, turnId, turns, wakeAt } from './removal-turn.ts';
import { createRemover } from './remover.ts';
import { policies, policyId, withDays } from './retention-policy.ts';
import type { Scope } from './scope.ts';

const [hourMs, dayMs] = [3_600_000, 86_400_000];
const [auth, webhook] = ['reeve.auth.v1/0', 'reeve.webhook.v1/1'];
/** How far the clock has been moved. */
let aheadMs = 0;
const clock: Clock = { now: () => new Date(Date.now() + aheadMs), newEventId };

function partsOf({ store, log }: TestLog) {
  const parts = {
    ...log,
    policies: store.collection(policies),
    holds: store.collection(holds),
    requests: store.collection(deletionRequests),
    turns: store.collection(turns),
    giveWay,
  };
  return { ...parts, checkpointer: createCheckpointer({ ...parts, intervalMs: dayMs, onError: refuse }) };
}

const refuse = (error: unknown): void => {
  throw error;
};

let opened: TestLog;
let parts: ReturnType<typeof partsOf>;
let keys: KeySet;
let tenantId: TenantId;
let offset = 0;

beforeAll(async () => {
  opened = await openTestLog({ clock });
  parts = partsOf(opened);
  ({ keys } = opened);
});
afterAll(() => opened.store.close());
beforeEach(() => {
  tenantId = newId('tenant');
  offset = 0;
  aheadMs = 0;
});

async function grow(
  chain: string,
  count: number,
  details: (n: number) => { userId: string } = () => ({ userId: 'u' }),
) {
  await growLog(parts, { tenantId, chain, from: offset, count, changes: n => ({ details: details(n) }) });
  offset += count;
}

async function keepFor(days: number | null, chain: 'auth' | 'webhook' = 'auth') {
  const state = withDays({ rules: {} }, { [chain]: days }, { now: new Date(0), delayMs: 0 });
  await parts.policies.in(tenantId).put(policyId, state ?? { rules: {} });
}

async function hold(scope: Scope): Promise<string> {
  const id = newId('hold');
  const state: Hold = { name: 'm', reason: 'r', scope, placedAt: '', releasedAt: null };
  await parts.holds.in(tenantId).put(id, state);
  return id;
}

async function ask(scope: Scope): Promise<Id<'deletion'>> {
  const id = newId('deletion');
  const now = clock.now();
  const asked = request(id, { scope, reason: 'r', requestedBy: { id: 'one', name: null } }, now);
  const confirmed = confirm(id, asked.state, { confirmedBy: { id: 'other', name: null }, now, delayMs: 0 });
  await parts.requests.in(tenantId).put(id, confirmed.state);
  return id;
}

async function cancelled(id: Id<'deletion'>): Promise<void> {
  const cause = serviceCause('test', { correlationId: 'c' });
  const decide = (was: DeletionRequest | null) => was && cancel(id, was, clock.now());
  await parts.requests.in(tenantId).change(id, decide, { cause });
}

/** Has the tenant looked at, until there is nothing more to do. */
async function removal(changes: Partial<typeof parts> = {}, onError = refuse) {
  const remover = createRemover({ ...parts, ...changes, intervalMs: dayMs, onError });
  await wakeAt(parts.turns, tenantId, { at: clock.now(), now: clock.now() });
  remover.start();
  for (;;) {
    await new Promise(resolve => setTimeout(resolve, 50));
    const turn = (await parts.turns.in(tenantId).get(turnId))?.state;
    if (turn && !turn.lease && (turn.dueAt === null || turn.dueAt > clock.now().toISOString())) break;
  }
  await remover.stop();
}

/** A process that nobody has asked for anything: it has what it finds. */
async function started(changes: Partial<typeof parts> = {}, onError = refuse) {
  const remover = createRemover({ ...parts, ...changes, intervalMs: dayMs, onError });
  remover.start();
  for (let tries = 0; tries < 200 && (await sequences(auth)).length > 0; tries += 1)
    await new Promise(resolve => setTimeout(resolve, 50));
  await remover.stop();
}

async function verified(period: { from?: string; to?: string } = {}): Promise<Verification> {
  const checkpoint = await parts.checkpointer.sign(tenantId);
  if (!checkpoint) throw new Error('there is no checkpoint');
  const ranges = await planExport(parts, { tenantId, checkpoint, period });
  const lines = linesOfExport(parts, {
    tenantId,
    checkpoint,
    period: { from: period.from, to: period.to },
    ranges,
    format: 'ndjson',
  });
  return verifyLines(lines, { format: formats.ndjson, keys });
}

/** What a reader of the feed gets who was never there before. */
async function followed(limit: number): Promise<Verification> {
  const lines: string[] = [];
  let position: Position = {};
  for (;;) {
    const page = await readAfter(parts, { tenantId, position, limit });
    if (page.found.length === 0) break;
    position = page.position;
    for (const { record, statements = [] } of page.found) {
      if (record) lines.push(formats.ndjson.writeRecord(fromStored(record), 'k'));
      for (const jws of statements) lines.push(formats.ndjson.writeStatement(jws));
    }
  }
  const last = await parts.checkpointer.sign(tenantId);
  async function* stream() {
    yield* lines;
    if (last) yield formats.ndjson.writeStatement(last.jws);
  }
  return verifyLines(stream(), { format: formats.ndjson, keys, of: 'stream' });
}

async function sequences(chain: string): Promise<number[]> {
  const found: number[] = [];
  for await (const { state } of parts.records.in(tenantId).all('byChain', { chain })) found.push(state.sequence);
  return found;
}

/** The events of removal, once all of them are published. */
async function removalEvents(count: number): Promise<{ count: number; reference: string }[]> {
  for (let tries = 0; ; tries += 1) {
    const mine = opened.published.filter(
      ({ event }) => event.tenantId === tenantId && event.type === 'records.removed',
    );
    const details = mine.map(({ event }) => (event.data as { details: { count: number; reference: string } }).details);
    if (tries === 100 || details.reduce((sum, one) => sum + one.count, 0) >= count) return details;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}
const sumOf = (details: { count: number }[]) => details.reduce((sum, { count }) => sum + count, 0);

describe('retention', () => {
  test('removes what is older, of its class alone, and what is left proves that it is what it was', async () => {
    await grow(auth, 700);
    await grow(webhook, 30);
    const before = await parts.checkpointer.sign(tenantId);
    aheadMs = 40 * dayMs;
    await grow(auth, 20);
    await keepFor(30);
    await removal();
    expect(await sequences(auth)).toEqual(Array.from({ length: 20 }, (_, n) => 701 + n));
    expect(await sequences(webhook)).toHaveLength(30);
    expect(await verified()).toMatchObject({ finding: null, records: 50, removed: 700 });
    for (const limit of [1, 7, 500]) expect(await followed(limit)).toMatchObject({ finding: null, records: 50 });
    const events = await removalEvents(700);
    expect(sumOf(events)).toBe(700);
    expect(events[0]).toMatchObject({ reference: 'auth: 30 days' });

    const now = await parts.checkpointer.sign(tenantId);
    const subtree = subtreesOf(parts, { tenantId, chain: auth, size: 720 });
    const entry = await parts.records.in(tenantId).getByUnique('place', `${auth}#710`);
    const path = (await inclusionPath(709, 720, subtree)).map(one => one.toString('hex'));
    const { canonical: record = '', hash = '' } = entry?.state ?? {};
    expect(await verifyInclusion({ record, hash, checkpoint: now?.jws ?? '', path }, keys)).toEqual({ holds: true });
    const grown = (await consistencyPath(700, 720, subtree)).map(one => one.toString('hex'));
    const chains = [
      { chain: auth, path: grown },
      { chain: webhook, path: [] },
    ];
    const proof = { from: before?.jws ?? '', to: now?.jws ?? '', chains };
    expect(await verifyConsistency(proof, keys)).toEqual({ holds: true });
  });

  test('of all that a chain had leaves a chain that goes on', async () => {
    await grow(auth, 300);
    aheadMs = 2 * dayMs;
    await keepFor(1);
    await removal();
    expect(await verified()).toMatchObject({ finding: null, records: 0, removed: 300 });
    expect(await verified({ from: new Date(0).toISOString(), to: clock.now().toISOString() })).toMatchObject({
      finding: null,
    });
    await grow(auth, 5);
    expect(await sequences(auth)).toEqual([301, 302, 303, 304, 305]);
    expect(await verified()).toMatchObject({ finding: null, records: 5, removed: 300 });
    expect(await followed(1)).toMatchObject({ finding: null, records: 5 });
    const later = { from: new Date(Date.now() + dayMs).toISOString() };
    expect(await verified(later)).toMatchObject({ finding: null, records: 5, chains: [{ last: 305 }] });
  });

  test('is shown by its tombstone in the hour in which it was chained', async () => {
    aheadMs = hourMs / 2 - (Date.now() % hourMs);
    await grow(auth, 300);
    const began = clock.now().toISOString().slice(0, 13).replaceAll('-', '/').replace('T', '/');
    aheadMs = 2 * dayMs;
    await keepFor(1);
    await removal();
    await grow(auth, 5);
    aheadMs = 3 * dayMs;
    const hours: { path: string; records: number }[] = [];
    for (let position: Position = {}; ; ) {
      const hour = await nextHour(parts, { tenantId, position, most: 1_000 });
      if (!hour || 'waitMs' in hour) break;
      hours.push({ path: hour.objects[0]?.path ?? '', records: hour.records });
      ({ position } = hour);
    }
    expect(hours).toMatchObject([{ records: 0 }, { records: 5 }]);
    expect(hours[0]?.path).toBe(`${began}-reeve.auth.v1-0-1.ndjson.gz`);
  });

  test('goes on after a crash between a tombstone and the removal, and writes nothing twice', async () => {
    await grow(auth, 600);
    aheadMs = 2 * dayMs;
    await keepFor(1);
    let calls = 0;
    const records = removing(async remove => {
      calls += 1;
      if (calls === 2) throw new Error('crashed');
      await remove();
    });
    const errors: unknown[] = [];
    await removal({ records }, error => void errors.push(error));
    expect(errors).toHaveLength(1);
    const left = await sequences(auth);
    expect(left.length).toBeGreaterThan(0);
    expect(await verified()).toMatchObject({ finding: null, records: left.length });
    aheadMs += dayMs;
    await removal();
    expect(await verified()).toMatchObject({ finding: null, records: 0, removed: 600 });
    expect(sumOf(await removalEvents(600))).toBe(600);
  });
});

/** Collections of which this tenant's behaves otherwise. */
function ofThisTenant<T extends { in: (tenantId: TenantId) => unknown }>(collections: T, changed: object): T {
  return { ...collections, in: (of: TenantId) => (of === tenantId ? changed : collections.in(of)) };
}

/** The records, whose removal does something first or after. */
function removing(around: (remove: () => Promise<void>, count: number) => Promise<void>) {
  const inner = parts.records.in(tenantId);
  const removeAll = (ids: readonly string[]) => around(() => inner.removeAll(ids), ids.length);
  return ofThisTenant(parts.records, { ...inner, removeAll });
}

const arrivals = (from: number, count: number) =>
  Array.from({ length: count }, (_, n) => sampleArrival({ tenantId, chain: auth, offset: from + n }));

describe('a chain of which records were removed', () => {
  test('is not forked by a writer that remembers how it was before another wrote', async () => {
    const [one, other] = [createChainWriter({ ...parts, rememberMs: 20 }), createChainWriter(parts)];
    await one.append(tenantId, auth, arrivals(0, 10));
    await other.append(tenantId, auth, arrivals(10, 10));
    aheadMs = 2 * dayMs;
    await keepFor(1);
    await removal();
    const chained = await one.append(tenantId, auth, arrivals(20, 5));
    expect(chained.map(({ record }) => record.sequence)).toEqual([21, 22, 23, 24, 25]);
    expect(await verified()).toMatchObject({ finding: null, records: 5, removed: 20 });
  });

  test('keeps what its stored head does not know of', async () => {
    await createChainWriter(parts).append(tenantId, auth, arrivals(0, 10));
    const acrossTenants = (reason: string) => ({
      ...parts.heads.acrossTenants(reason),
      putAll: () => Promise.reject(new Error('crashed')),
    });
    const heads = { ...parts.heads, acrossTenants } as unknown as typeof parts.heads;
    const more = arrivals(10, 12);
    const crashed = createChainWriter({ ...parts, heads }).append(tenantId, auth, more.slice(0, 10));
    await expect(crashed).rejects.toThrow('crashed');
    expect((await parts.checkpointer.sign(tenantId))?.content.chains).toMatchObject([{ size: 20 }]);
    aheadMs = 2 * dayMs;
    await keepFor(1);
    await removal();
    expect(await sequences(auth)).toEqual([11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
    const again = await createChainWriter(parts).append(tenantId, auth, more);
    expect(again.map(({ record }) => record.sequence)).toEqual([11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22]);
    expect(await verified()).toMatchObject({ finding: null, records: 12, removed: 10 });
  });

  test('has the same periods as before: an export that was cut off goes on', async () => {
    await grow(auth, 40, n => ({ userId: n >= 30 ? 'leaver' : 'u' }));
    await grow(webhook, 10, () => ({ userId: 'leaver' }));
    const pause = () => new Promise(resolve => setTimeout(resolve, 5));
    await pause();
    const period = { from: undefined, to: clock.now().toISOString() };
    await pause();
    await grow(auth, 10);
    await grow(webhook, 10);
    const checkpoint = await parts.checkpointer.sign(tenantId);
    if (!checkpoint) throw new Error('there is no checkpoint');
    const of = { tenantId, checkpoint, period, format: 'ndjson' } as const;
    const lines: string[] = [];
    for await (const line of linesOfExport(parts, { ...of, ranges: await planExport(parts, of) })) {
      lines.push(line);
      if (lines.length === 11) break;
    }
    await ask({ about: 'leaver' });
    await removal();
    const after = { chain: auth, sequence: 10 };
    for await (const line of linesOfExport(parts, { ...of, ranges: await planExport(parts, of), after }))
      lines.push(line);
    async function* joined() {
      yield* lines;
    }
    expect(await verifyLines(joined(), { format: formats.ndjson, keys })).toMatchObject({
      finding: null,
      records: 30,
      removed: 20,
    });
  });
});

describe('what was decided otherwise', () => {
  test('counts from the next batch on: a longer retention, and a request that is cancelled', async () => {
    await grow(auth, 1_500);
    aheadMs = 2 * dayMs;
    await keepFor(1);
    let gone = 0;
    const once = (change: () => Promise<void>) =>
      removing(async (remove, count) => {
        await remove();
        gone += count;
        await change();
      });
    await removal({ records: once(() => keepFor(null)) });
    expect([gone, (await sequences(auth)).length]).toEqual([256, 1_244]);
    const id = await ask({});
    await removal({ records: once(() => cancelled(id)) });
    expect([gone, (await sequences(auth)).length]).toEqual([512, 988]);
    expect(await verified()).toMatchObject({ finding: null, records: 988 });
  });

  test('is not undone by a remover that stands still for longer than its lease', async () => {
    await grow(auth, 50);
    aheadMs = 2 * dayMs;
    await keepFor(1);
    const inner = parts.tombstones.in(tenantId);
    const create: typeof inner.create = async (...parameters) => {
      const made = await inner.create(...parameters);
      aheadMs += 61_000;
      await hold({});
      await batchEnded(parts.turns, tenantId, clock);
      return made;
    };
    const tombstones = ofThisTenant(parts.tombstones, { ...inner, create });
    await removal({ tombstones });
    expect(await sequences(auth)).toHaveLength(50);
    expect(await verified()).toMatchObject({ finding: null, records: 50, removed: 0 });
  });

  test('is found by a process that starts, though the one that was asked ended before it said when', async () => {
    await grow(auth, 5);
    await ask({});
    aheadMs = 10 * dayMs;
    await started();
    expect(await sequences(auth)).toEqual([]);
  });

  test('is found by a process that starts, though the store did not answer when it first looked', async () => {
    await grow(auth, 5);
    await ask({});
    aheadMs = 10 * dayMs;
    const errors: unknown[] = [];
    const acrossTenants: typeof parts.policies.acrossTenants = why => {
      if (errors.length === 0) throw new Error('no answer');
      return parts.policies.acrossTenants(why);
    };
    await started({ policies: { ...parts.policies, acrossTenants } }, error => void errors.push(error));
    expect(errors).toEqual([new Error('no answer')]);
    expect(await sequences(auth)).toEqual([]);
  });
});

describe('a legal hold', () => {
  test('keeps many from being in the way of the few behind them', async () => {
    await grow(auth, 1_100, n => ({ userId: n < 1_000 ? 'held' : 'u' }));
    const id = await ask({ about: 'u' });
    aheadMs = 2 * dayMs;
    await keepFor(1);
    await hold({ about: 'held' });
    await removal();
    expect(await sequences(auth)).toHaveLength(1_000);
    expect((await parts.requests.in(tenantId).get(id))?.state).toMatchObject({ status: 'done', removed: 100 });
  });

  test('keeps the records of its scope, until it is released', async () => {
    await grow(auth, 600, n => ({ userId: n % 50 === 0 ? 'held' : 'u' }));
    aheadMs = 2 * dayMs;
    await keepFor(1);
    const id = await hold({ about: 'held' });
    await removal();
    expect(await sequences(auth)).toEqual(Array.from({ length: 12 }, (_, n) => n * 50 + 1));
    expect(await verified()).toMatchObject({ finding: null, records: 12, removed: 588 });
    expect(await followed(3)).toMatchObject({ finding: null, records: 12 });
    await parts.holds.in(tenantId).patch([id], { releasedAt: clock.now().toISOString() });
    await removal();
    expect(await verified()).toMatchObject({ finding: null, records: 0, removed: 600 });
  });

  test('wins over a deletion request, which says how many it kept', async () => {
    await grow(auth, 40, n => ({ userId: n < 10 ? 'leaver' : 'u' }));
    await grow(webhook, 10, () => ({ userId: 'leaver' }));
    await hold({ classes: ['webhook'] });
    const id = await ask({ about: 'leaver' });
    await removal();
    expect((await parts.requests.in(tenantId).get(id))?.state).toMatchObject({ status: 'done', removed: 10, held: 10 });
    expect(await sequences(auth)).toEqual(Array.from({ length: 30 }, (_, n) => 11 + n));
    expect(await verified()).toMatchObject({ finding: null, records: 40, removed: 10 });
  });

  test('waits for the batch that is under way', async () => {
    const leased = (until: number) => ({
      dueAt: null,
      again: false,
      lease: { holder: 'x', until: new Date(Date.now() + until).toISOString() },
    });
    await parts.turns.in(tenantId).put(turnId, leased(60_000));
    let ended = false;
    const waiting = batchEnded(parts.turns, tenantId, clock).then(() => {
      ended = true;
    });
    await new Promise(resolve => setTimeout(resolve, 400));
    expect(ended).toBe(false);
    await parts.turns.in(tenantId).put(turnId, leased(61_000));
    await waiting;
  });
});

describe('a deletion request', () => {
  test('removes what was there when it was made, and nothing once it is cancelled', async () => {
    await grow(auth, 20, () => ({ userId: 'leaver' }));
    const id = await ask({ about: 'leaver', classes: ['auth'] });
    await new Promise(resolve => setTimeout(resolve, 5));
    await grow(auth, 5, () => ({ userId: 'leaver' }));
    const other = await ask({});
    await cancelled(other);
    await removal();
    expect(await sequences(auth)).toEqual([21, 22, 23, 24, 25]);
    expect((await parts.requests.in(tenantId).get(id))?.state).toMatchObject({ status: 'done', removed: 20 });
    expect((await parts.requests.in(tenantId).get(other))?.state).toMatchObject({
      status: 'cancelled',
      removed: 0,
    });
  });
});

test('whatever is removed in whichever order, the export and the feed verify', async () => {
  const people = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  await grow(auth, 540, n => ({ userId: people[(n * n + Math.floor(n / 100)) % 7] ?? '' }));
  await grow(webhook, 60, n => ({ userId: people[n % 7] ?? '' }));
  let left = 600;
  for (const about of ['c', 'a', 'g', 'b', 'e', 'd', 'f']) {
    await ask({ about });
    await removal();
    const now = (await sequences(auth)).length + (await sequences(webhook)).length;
    expect(now).toBeLessThan(left);
    left = now;
    expect(await verified()).toMatchObject({ finding: null, records: left, removed: 600 - left });
    for (const limit of [29, 300]) expect(await followed(limit)).toMatchObject({ finding: null, records: left });
  }
  expect(left).toBe(0);
}, 180_000);

test('two that remove at once do it once', async () => {
  await grow(auth, 800);
  aheadMs = 2 * dayMs;
  await keepFor(1);
  await Promise.all([removal(), removal()]);
  expect(await verified()).toMatchObject({ finding: null, records: 0, removed: 800 });
  expect(sumOf(await removalEvents(800))).toBe(800);
});
