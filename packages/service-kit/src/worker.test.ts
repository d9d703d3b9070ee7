import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { TenantId } from '@reeve/contracts';
import { type Due, worker } from './worker.ts';

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});

const tenantOf = (name: string) => `ten_${name}` as TenantId;
const key = ({ tenantId, id }: Due) => `${tenantId.slice(4)}/${id}`;

type Options = Partial<Pick<Parameters<typeof worker>[0], 'atOnce' | 'ofOneTenant' | 'long' | 'everyMs'>>;

/** Each of `given` (`tenant/number`) is due until it is taken, and worked on until `end` is called for it. */
function start(given: string[], options: Options = {}) {
  let items = given.map(one => ({ tenantId: tenantOf(one.split('/')[0] ?? ''), id: one.split('/')[1] ?? '' }));
  const begun: string[] = [];
  const asked: number[] = [];
  const errors: unknown[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  const own = worker<Due, Due>({
    async due(limit, except) {
      asked.push(limit);
      return items.filter(({ tenantId }) => !except.includes(tenantId)).slice(0, limit);
    },
    async take(one) {
      items = items.filter(other => other !== one);
      return key(one).endsWith('elsewhere') ? null : one;
    },
    work(one) {
      begun.push(key(one));
      return new Promise<void>((resolve, reject) => ends.set(key(one), error => (error ? reject(error) : resolve())));
    },
    atOnce: 4,
    ofOneTenant: 2,
    everyMs: 5,
    onError: error => void errors.push(error),
    ...options,
  });
  own.start();
  running.push({
    async stop() {
      const stopped = own.stop();
      for (const end of ends.values()) end();
      await stopped;
    },
  });
  return { own, begun, asked, errors, end: (item: string, error?: Error) => ends.get(item)?.(error) };
}

describe('a worker', () => {
  test('does so much at a time, and the next when one ends', async () => {
    const { begun, end } = start(['a/1', 'b/1', 'c/1'], { atOnce: 2 });
    await pause(40);
    expect(begun).toEqual(['a/1', 'b/1']);
    end('a/1');
    await pause(40);
    expect(begun).toEqual(['a/1', 'b/1', 'c/1']);
  });

  test('does only a part of it for one tenant, however much of that tenant’s is overdue', async () => {
    const many = Array.from({ length: 2_000 }, (_, n) => `many/${n}`);
    const { begun, end, asked } = start([...many, 'few/1', 'few/2']);
    await pause(40);
    expect(begun).toEqual(['many/0', 'many/1', 'few/1', 'few/2']);
    expect(Math.max(...asked)).toBe(4);
    end('many/0');
    await pause(40);
    expect(begun.at(-1)).toBe('many/2');
  });

  test('does only a part of it for all tenants together whose work takes long', async () => {
    const given = ['a', 'b', 'c', 'd'].flatMap(tenant => [1, 2, 3].map(number => `${tenant}/${number}`));
    const { begun, end } = start([...given, 'e/1', 'f/1'], { long: { fromMs: 20, atOnce: 2 }, ofOneTenant: 1 });
    await pause(60);
    expect(begun).toEqual(['a/1', 'b/1', 'c/1', 'd/1']);
    for (const tenant of ['a', 'b', 'c', 'd']) end(`${tenant}/1`);
    await pause(60);
    // Two of those that took long, and those of others besides.
    expect(begun.slice(4).toSorted()).toEqual(['a/2', 'b/2', 'e/1', 'f/1']);
    for (const one of ['e/1', 'f/1']) end(one);
    await pause(60);
    expect(begun).toHaveLength(8);
    for (const one of ['a/2', 'b/2']) end(one);
    await pause(60);
    expect(begun.slice(8)).toHaveLength(2);
  });

  test('looks again at once while there is more, and otherwise after its time', async () => {
    const { begun, end, asked } = start(['a/1', 'b/1', 'c/1', 'd/1'], { atOnce: 1, everyMs: 200 });
    await pause(230);
    for (const one of ['a/1', 'b/1', 'c/1', 'd/1']) {
      end(one);
      await pause(2);
    }
    expect(begun).toEqual(['a/1', 'b/1', 'c/1', 'd/1']);
    const until = asked.length;
    await pause(30);
    expect(asked.length).toBe(until);
  });

  test('goes on after a piece of work that failed', async () => {
    const { begun, end, errors } = start(['a/1', 'a/2'], { atOnce: 1 });
    await pause(40);
    end('a/1', new Error('of a/1'));
    await pause(40);
    expect(begun).toEqual(['a/1', 'a/2']);
    expect(errors).toEqual([new Error('of a/1')]);
  });

  test('begins nothing that is under way, and tries what failed again with the next round alone', async () => {
    const tenants = Array.from({ length: 12 }, (_, n) => ({ tenantId: tenantOf(String(n)), id: 'one' }));
    let items = tenants;
    const tries = new Map<string, number>();
    const errors: unknown[] = [];
    let looks = 0;
    const own = worker<Due, Due>({
      async due(limit) {
        looks += 1;
        return items.slice(0, limit);
      },
      // Without a lease: it is due until it is done.
      take: one => Promise.resolve(one),
      async work(one) {
        tries.set(one.tenantId, (tries.get(one.tenantId) ?? 0) + 1);
        await pause(10);
        if (Number(one.tenantId.slice(4)) < 4) throw new Error('again');
        items = items.filter(other => other !== one);
      },
      atOnce: 4,
      everyMs: 400,
      onError: error => void errors.push(error),
    });
    running.push(own);
    own.start();
    await pause(600);
    // The four that fail stand before the others, and do not keep them from being done.
    expect(items).toEqual(tenants.slice(0, 4));
    expect([...tries.values()].slice(4)).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
    for (const { tenantId } of items) expect(tries.get(tenantId)).toBeLessThanOrEqual(2);
    expect(looks).toBeLessThan(40);
  });

  test('leaves to others what they have taken', async () => {
    const { begun } = start(['a/elsewhere', 'b/1']);
    await pause(40);
    expect(begun).toEqual(['b/1']);
  });

  test('that cannot look does so again after its time', async () => {
    const errors: unknown[] = [];
    let looks = 0;
    const own = worker<Due, Due>({
      due: () => Promise.reject(new Error(`look ${(looks += 1)}`)),
      take: one => Promise.resolve(one),
      work: () => Promise.resolve(),
      atOnce: 1,
      everyMs: 10,
      onError: error => void errors.push(error),
    });
    running.push(own);
    own.start();
    await pause(60);
    expect(errors.slice(0, 2)).toEqual([new Error('look 1'), new Error('look 2')]);
    expect(looks).toBeLessThan(8);
  });

  test('that is stopped lets what is under way end, and begins nothing more', async () => {
    const { own, begun, end } = start(['a/1', 'b/1'], { atOnce: 1 });
    await pause(40);
    let isStopped = false;
    const stopping = own.stop().then(() => {
      isStopped = true;
    });
    await pause(40);
    expect([isStopped, own.isStopped()]).toEqual([false, true]);
    end('a/1');
    await stopping;
    expect(begun).toEqual(['a/1']);
  });
});
