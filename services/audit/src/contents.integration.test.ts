import { expect, test } from '@jest/globals';
import { wastefulQueries } from '@reeve/testing';
import { contents } from './contents.ts';

test('no query that this service can ask examines more documents than it returns', async () => {
  expect(await wastefulQueries(contents)).toEqual([]);
}, 60_000);
