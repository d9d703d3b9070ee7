import { expect, test } from '@jest/globals';
import { append, emptyList, fromEnd, type GrowingList, itemsOf } from './growing-list.ts';

test('a list that grew has all, in their order, and the one before is what it was', () => {
  let list: GrowingList<number> = emptyList;
  for (let n = 0; n < 200; n += 1) {
    const before = list;
    list = append(list, n);
    expect(itemsOf(list)).toEqual(Array.from({ length: n + 1 }, (_, at) => at));
    expect(itemsOf(before)).toHaveLength(n);
    for (let back = 1; back <= n + 1; back += 1) expect(fromEnd(list, back)).toBe(n + 1 - back);
    expect(fromEnd(list, n + 2)).toBeUndefined();
  }
});

test('of a list that keeps the last, those are there, and not many more', () => {
  let list: GrowingList<number> = emptyList;
  for (let n = 0; n < 5_000; n += 1) {
    list = append(list, n, 100);
    for (const back of [1, 50, 100]) expect(fromEnd(list, back)).toBe(back <= n + 1 ? n + 1 - back : undefined);
  }
  expect(itemsOf(list).length).toBeLessThan(200);
});
