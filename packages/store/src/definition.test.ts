import { expect, test } from '@jest/globals';
import { indexesOf } from './definition.ts';

type Thing = { owner: string; kind: string; at: string };

test('every declared query is served by an index in the order tenant, equality, sort, and what narrows it', () => {
  const indexes = indexesOf<Thing>({
    name: 'things',
    unique: { owner: thing => thing.owner },
    queries: {
      inOrder: { equality: [] },
      byOwner: { equality: ['owner'], sort: 'at', direction: 'descending', narrowedBy: ['kind'] },
      // Served by the index of the one before, read backwards.
      oldestFirst: { equality: ['owner'], sort: 'at' },
    },
    expiresAt: () => null,
  });
  expect(indexes.map(({ key }) => Object.entries(key))).toEqual([
    [['unique.owner', 1]],
    [
      ['tenantId', 1],
      ['id', 1],
      ['expiresAt', 1],
    ],
    [
      ['tenantId', 1],
      ['state.owner', 1],
      ['state.at', -1],
      ['id', -1],
      ['state.kind', 1],
      ['expiresAt', 1],
    ],
    [['expiresAt', 1]],
    [['outboxAt', 1]],
  ]);
  expect(indexes.filter(({ unique }) => unique).every(({ sparse }) => sparse)).toBe(true);
});
