import { expect, test } from '@jest/globals';
import { wastefulQueries } from '@reeve/testing';
import { contents } from './contents.ts';

test('no query of the service examines more documents than it returns', async () => {
  expect(await wastefulQueries(contents)).toEqual([]);
});
