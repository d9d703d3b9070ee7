import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newId, serviceCause, type TenantId } from '@reeve/contracts';
import { collection, openStore, type Store } from '@reeve/store';
import { type Held, type Lease, type LeaseBy, leased, leaseFor } from './lease.ts';
import { worker } from './worker.ts';

type Job = { dueAt: string | null; lease: Lease; done: number; by: string[] };

const jobs = collection<Job>({ name: 'jobs', dueAt: ({ dueAt }) => (dueAt === null ? null : new Date(dueAt)) });

function take(job: Job, by: LeaseBy): Job | null {
  const lease = leaseFor(job.lease, by);
  return lease && { ...job, lease, dueAt: lease.until };
}

const uri = process.env['REEVE_TEST_MONGODB'];
if (uri === undefined) throw new Error('there is no store: use `npm test`, which starts one');
let store: Store;
let tenantId: TenantId;
const running: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  const database = `lease_${newId('request').slice(-8)}`;
  store = openStore({ uri, database, source: '/test', contents: { collections: [jobs] } });
  await store.prepare();
});
afterAll(() => store.close());
beforeEach(() => {
  tenantId = newId('tenant');
});
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});

const due = (): Job => ({ dueAt: new Date(0).toISOString(), lease: null, done: 0, by: [] });
const stateOf = async (id: string) => (await store.collection(jobs).in(tenantId).get(id))?.state;

function start(work: (held: Held<Job>) => Promise<unknown>, forMs = 60_000) {
  const parts = { collection: store.collection(jobs), reason: 'a test', take, forMs, clock: store.clock };
  const own = worker({
    ...leased({ ...parts, service: 'test' }),
    work,
    atOnce: 4,
    everyMs: 10,
    onError: error => {
      throw error;
    },
  });
  running.push(own);
  own.start();
  return own;
}

const finish = (held: Held<Job>) => held.change(was => ({ ...was, done: was.done + 1, lease: null, dueAt: null }));

async function until(holds: () => Promise<boolean>) {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await holds()) return;
    await pause(25);
  }
  throw new Error('it did not come to that');
}

describe('leased work', () => {
  test('is done once, by whichever of several processes takes it', async () => {
    const ids = Array.from({ length: 40 }, (_, n) => `job-${n}`);
    for (const id of ids) await store.collection(jobs).in(tenantId).put(id, due());
    for (let n = 0; n < 3; n += 1)
      start(async held => {
        await pause(5);
        await finish(held);
      });
    await until(async () => (await Promise.all(ids.map(stateOf))).every(job => job?.dueAt === null));
    expect((await Promise.all(ids.map(stateOf))).map(job => job?.done)).toEqual(ids.map(() => 1));
  });

  test('is not taken when it was done after it had been found', async () => {
    await store.collection(jobs).in(tenantId).put('job', due());
    const parts = { collection: store.collection(jobs), reason: 'a test', take, forMs: 60_000, clock: store.clock };
    const [one, other] = [leased({ ...parts, service: 'test' }), leased({ ...parts, service: 'test' })];
    const [found] = (await one.due(100, [])).filter(job => job.tenantId === tenantId);
    if (!found) throw new Error('it is not due');
    const held = await other.take(found);
    if (held) await finish(held);
    expect(await stateOf('job')).toMatchObject({ done: 1, dueAt: null });
    expect(await one.take(found)).toBe(null);
  });

  test('of a process that is lost is done by another when the lease ends, and the first changes nothing more', async () => {
    await store.collection(jobs).in(tenantId).put('job', due());
    let lost: Held<Job> | undefined;
    start(held => {
      lost ??= held;
      return lost === held ? new Promise<void>(resolve => setTimeout(resolve, 900)) : finish(held);
    }, 300);
    await until(async () => (await stateOf('job'))?.done === 1);
    expect(await lost?.change(was => ({ ...was, done: 99 }))).toBe(null);
    expect(await lost?.renew()).toBe(null);
    expect(await stateOf('job')).toMatchObject({ done: 1, lease: null });
  });

  test('is kept for as long as it is renewed', async () => {
    await store.collection(jobs).in(tenantId).put('job', due());
    let taken = 0;
    const work = async (held: Held<Job>) => {
      taken += 1;
      for (let n = 0; n < 6; n += 1) {
        await pause(100);
        expect(await held.renew(was => ({ ...was, by: [...was.by, 'renewed'] }))).not.toBe(null);
      }
      await finish(held);
    };
    start(work, 300);
    start(work, 300);
    await until(async () => (await stateOf('job'))?.done === 1);
    expect([taken, (await stateOf('job'))?.by.length]).toEqual([1, 6]);
  });

  test('that somebody changed beside it is changed with what they wrote', async () => {
    await store.collection(jobs).in(tenantId).put('job', due());
    start(async held => {
      const cause = serviceCause('test', { correlationId: 'c' });
      const decide = (was: Job | null) => was && { state: { ...was, by: ['somebody'] }, events: [] };
      await store.collection(jobs).in(tenantId).change('job', decide, { cause });
      await finish(held);
    });
    await until(async () => (await stateOf('job'))?.done === 1);
    expect((await stateOf('job'))?.by).toEqual(['somebody']);
  });
});
