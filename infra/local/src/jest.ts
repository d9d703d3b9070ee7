// How Jest is called, and what each test needs to run (CONTRIBUTING.md says where which goes).
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { repositoryRoot } from './paths.ts';

/** Arguments of Node; those of Jest follow. */
export const jest = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  // kafkajs hands setTimeout a time in the past; harmless, and not ours to mend.
  '--disable-warning=TimeoutNegativeWarning',
  join(repositoryRoot, 'node_modules/jest/bin/jest.js'),
];

const integration = '\\.integration\\.test\\.ts$';
const withRunningSystem = 'test/src/(e2e|isolation)/';
const withOwnSystem = 'test/src/(chaos|runbooks)/';
const withPeers = '\\.peers\\.test\\.ts$';

/** Arguments of Jest. Last, since it takes what follows for one more pattern; so with the others. */
export const unitTestsAlone = [
  '--testPathIgnorePatterns',
  integration,
  withPeers,
  `<rootDir>/${withRunningSystem}`,
  `<rootDir>/${withOwnSystem}`,
];

/** Patterns of paths may follow. What Jest ignores by itself has to be said again. */
export const withoutPeers = ['--testPathIgnorePatterns', '/node_modules/', withPeers];
/** Each goes through many pages of others, which are slow where the machine is busy. */
export const peerTestsAlone = ['--testTimeout=60000', '--testMatch', '<rootDir>/test/src/peers/**/*.peers.test.ts'];

/** Each takes what those before it take. */
export type Need = 'nothing' | 'engines' | 'system' | 'peers';

export type Turn = {
  workers: number;
  /** What of all tests the turn leaves to the others: patterns of paths. */
  leavesOut: string[];
};

/**
 * How these tests are run: one turn after the other. Tests of packages and services have databases, groups and tenants
 * of their own and wait for engines most of the time: one runs for each processor. Those that share a running system,
 * or start one to kill it, run one after the other.
 */
export function turnsOf(files: readonly string[]): Turn[] {
  const areOfSystem = files.map(file => relative(repositoryRoot, file).startsWith('test/src/'));
  const turns = [];
  if (areOfSystem.includes(false)) turns.push({ workers: availableParallelism(), leavesOut: ['<rootDir>/test/src/'] });
  if (areOfSystem.includes(true)) turns.push({ workers: 1, leavesOut: ['<rootDir>/(packages|services|infra)/'] });
  return turns.length > 1 ? turns : turns.map(({ workers }) => ({ workers, leavesOut: [] }));
}

/** What has to be running for all of these tests. Those in test/src/chaos and runbooks start what they kill. */
export function needOf(files: readonly string[]): Need {
  const paths = files.map(file => relative(repositoryRoot, file));
  const some = (pattern: string) => paths.some(path => new RegExp(pattern).test(path));
  if (some(withPeers)) return 'peers';
  if (some(`^${withRunningSystem}`)) return 'system';
  return some(integration) ? 'engines' : 'nothing';
}

/** Whether promtool has to be there. */
export const needsPromtool = (files: readonly string[]): boolean =>
  files.some(file => relative(repositoryRoot, file).startsWith('infra/observability/'));

/** Whether Helm has to be there, and the schemas of Kubernetes. */
export const needsChartTools = (files: readonly string[]): boolean =>
  files.some(file => relative(repositoryRoot, file).startsWith('infra/helm/'));
