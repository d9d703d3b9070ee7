import { expect, test } from '@jest/globals';
import { documentedMetrics } from './documented.ts';
import { instrumentsOfSources } from './instruments.ts';

const documented = documentedMetrics();
const instruments = instrumentsOfSources();

test('docs/observability.md has each metric of ours with its kind and unit, and none besides', () => {
  expect(instruments.length).toBeGreaterThan(30);
  const areOurs = documented.filter(({ name }) => !/^(nodejs|v8js)\./.test(name));
  expect(
    areOurs.map(({ name, kind, unit }) => ({ name, kind, unit })).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  ).toEqual(instruments);
});

test('each is documented once', () => {
  expect(documented.map(({ name }) => name)).toHaveLength(new Set(documented.map(({ name }) => name)).size);
});
