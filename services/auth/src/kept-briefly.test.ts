import { describe, expect, jest, test } from '@jest/globals';
import { keptBriefly } from './kept-briefly.ts';

function counted(answers: (() => Promise<string | null>)[]) {
  const load = jest.fn(async () => (answers.length > 1 ? answers.shift() : answers[0])?.() ?? null);
  return { load, ...keptBriefly<string, string | null>(load, { most: 10 }) };
}

describe('what is looked up', () => {
  test('is asked for once, by whoever comes meanwhile as well, and nothing is an answer', async () => {
    const { of, load } = counted([async () => null]);
    expect(await Promise.all([of('a'), of('a')])).toEqual([null, null]);
    expect(await of('a')).toBeNull();
    expect(load).toHaveBeenCalledTimes(1);
    await of('b');
    expect(load).toHaveBeenCalledTimes(2);
  });

  test('is asked for again when it was forgotten, also while it is on its way', async () => {
    const old = Promise.withResolvers<string>();
    const { of, forget } = counted([() => old.promise, async () => 'new']);
    const early = of('a');
    forget('a');
    expect(await of('a')).toBe('new');
    old.resolve('old');
    expect(await early).toBe('old');
    expect(await of('a')).toBe('new');
  });

  test('is asked for again when it could not be had', async () => {
    const { of } = counted([async () => Promise.reject(new Error('away')), async () => 'there']);
    await expect(of('a')).rejects.toThrow('away');
    expect(await of('a')).toBe('there');
  });

  test('is asked for again after a second', async () => {
    const { of } = counted([async () => 'before', async () => 'after']);
    expect(await of('a')).toBe('before');
    await new Promise(resolve => setTimeout(resolve, 1_050));
    expect(await of('a')).toBe('after');
  });
});
