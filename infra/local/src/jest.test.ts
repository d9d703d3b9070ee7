import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { type Need, needOf, needsChartTools, needsPromtool, turnsOf } from './jest.ts';
import { repositoryRoot } from './paths.ts';

test.each<[Need, string[]]>([
  ['nothing', []],
  ['nothing', ['packages/store/src/definition.test.ts']],
  // They start engines and systems of their own, to kill them.
  ['nothing', ['test/src/chaos/kills.test.ts']],
  ['nothing', ['test/src/runbooks/with-services.test.ts']],
  ['engines', ['packages/store/src/store.integration.test.ts', 'packages/store/src/definition.test.ts']],
  ['system', ['test/src/isolation/every-route.test.ts']],
  ['peers', ['test/src/peers/keycloak-oidc.peers.test.ts']],
  ['system', ['packages/store/src/store.integration.test.ts', 'test/src/e2e/story.test.ts']],
])('%s is started for %j', (need, files) => {
  expect(needOf(files.map(file => join(repositoryRoot, file)))).toBe(need);
});

test('Helm is fetched for tests of the chart, and for no others', () => {
  expect(needsChartTools([join(repositoryRoot, 'infra/helm/src/policy.test.ts')])).toBe(true);
  expect(needsChartTools([join(repositoryRoot, 'infra/local/src/ports.test.ts')])).toBe(false);
});

test('promtool is fetched for tests of the rules, and for no others', () => {
  expect(needsPromtool([join(repositoryRoot, 'infra/observability/src/rules.test.ts')])).toBe(true);
  expect(needsPromtool([join(repositoryRoot, 'infra/helm/src/policy.test.ts')])).toBe(false);
});

const [unit, system] = ['packages/store/src/definition.test.ts', 'test/src/e2e/story.test.ts'];

test.each([
  ['tests of packages and services', [unit], [{ isAlone: false, leavesOut: [] }]],
  ['tests of a running system', [system], [{ isAlone: true, leavesOut: [] }]],
  [
    'both',
    [system, unit],
    [
      { isAlone: false, leavesOut: ['<rootDir>/test/src/'] },
      { isAlone: true, leavesOut: ['<rootDir>/(packages|services|infra)/'] },
    ],
  ],
])('%s share processors where they may', (_, files, turns) => {
  const found = turnsOf(files.map(file => join(repositoryRoot, file)));
  const processors = availableParallelism();
  expect(found).toEqual(turns.map(({ isAlone, leavesOut }) => ({ workers: isAlone ? 1 : processors, leavesOut })));
});
