import { describe, expect, test } from '@jest/globals';
import { newId, ProblemError } from '@reeve/contracts';
import { createFairQueue } from './store-delivery.ts';

const [storming, quiet] = [newId('tenant'), newId('tenant')];

describe('the queue before the store', () => {
  test('whoever waits shares a round trip, and each gets its own result', async () => {
    const batches: string[][] = [];
    const queue = createFairQueue<string, string>({
      commit: items => {
        batches.push([...items]);
        return Promise.resolve(items.map(item => `${item}!`));
      },
    });
    const results = await Promise.all(['a', 'b', 'c'].map(item => queue.push(quiet, item, 1)));
    expect(results).toEqual(['a!', 'b!', 'c!']);
    expect(batches).toEqual([['a', 'b', 'c']]);
  });

  test('a tenant with one request does not wait behind another’s hundred', async () => {
    const order: string[] = [];
    const queue = createFairQueue<string, void>({
      maxBatch: 10,
      commit: items => {
        order.push(...items);
        return Promise.resolve(items.map(() => undefined));
      },
    });
    const storm = Array.from({ length: 100 }, (_, index) => queue.push(storming, `storm-${index}`, 1));
    await Promise.all([...storm, queue.push(quiet, 'quiet', 1)]);
    expect(order.indexOf('quiet')).toBeLessThan(10);
    expect(order.filter(item => item.startsWith('storm'))).toEqual(
      Array.from({ length: 100 }, (_, index) => `storm-${index}`),
    );
  });

  test('one tenant cannot take every place, and when all are taken that is said at once, with a time to wait', async () => {
    const { promise: never, resolve } = Promise.withResolvers<void>();
    const queue = createFairQueue<number, void>({
      maxWaiting: 10,
      commit: items => never.then(() => items.map(() => undefined)),
    });
    const waiting = Array.from({ length: 5 }, (_, index) => queue.push(storming, index, 1));
    expect(() => queue.push(storming, 6, 1)).toThrow(
      expect.objectContaining({ code: 'rate_limited', retryAfterSeconds: 2 }),
    );
    waiting.push(...Array.from({ length: 5 }, (_, index) => queue.push(quiet, index, 1)));
    expect(() => queue.push(newId('tenant'), 1, 1)).toThrow(expect.objectContaining({ code: 'ingress_busy' }));
    resolve();
    await Promise.all(waiting);
  });

  test('a failed round trip fails those who waited for it, and nobody after them', async () => {
    let calls = 0;
    const queue = createFairQueue<string, string>({
      commit: items => {
        calls += 1;
        return calls === 1 ? Promise.reject(new ProblemError('dependency_unavailable')) : Promise.resolve([...items]);
      },
    });
    await expect(queue.push(quiet, 'a', 1)).rejects.toThrow(ProblemError);
    await expect(queue.push(quiet, 'b', 1)).resolves.toBe('b');
  });
});
