// How Jest is called, and what each test needs to run (CONTRIBUTING.md says where which goes).
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
const withOwnSystem = 'test/src/chaos/';
const withPeers = '\\.peers\\.test\\.ts$';

/** Arguments of Jest. Last, since it takes what follows for one more pattern; so with the others. */
export const unitTestsAlone = [
  '--testPathIgnorePatterns',
  integration,
  withPeers,
  `<rootDir>/${withRunningSystem}`,
  `<rootDir>/${withOwnSystem}`,
];

/** What Jest ignores by itself has to be said again. */
export const withoutPeers = ['--testPathIgnorePatterns', '/node_modules/', withPeers];
/** Each goes through many pages of others, which are slow where the machine is busy. */
export const peerTestsAlone = ['--testTimeout=60000', '--testMatch', '<rootDir>/test/src/peers/**/*.peers.test.ts'];

/** Each takes what those before it take. */
export type Need = 'nothing' | 'engines' | 'system' | 'peers';

/** What has to be running for all of these tests. Those in test/src/chaos start what they kill. */
export function needOf(files: readonly string[]): Need {
  const paths = files.map(file => relative(repositoryRoot, file));
  const some = (pattern: string) => paths.some(path => new RegExp(pattern).test(path));
  if (some(withPeers)) return 'peers';
  if (some(`^${withRunningSystem}`)) return 'system';
  return some(integration) ? 'engines' : 'nothing';
}
