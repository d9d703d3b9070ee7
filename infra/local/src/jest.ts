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

/** Arguments of Jest. Last, since it takes what follows for one more pattern. */
export const unitTestsAlone = [
  '--testPathIgnorePatterns',
  integration,
  `<rootDir>/${withRunningSystem}`,
  `<rootDir>/${withOwnSystem}`,
];

export type Need = 'nothing' | 'engines' | 'system';

/** What has to be running for all of these tests. Those in test/src/chaos start what they kill. */
export function needOf(files: readonly string[]): Need {
  const paths = files.map(file => relative(repositoryRoot, file));
  const some = (pattern: string) => paths.some(path => new RegExp(pattern).test(path));
  if (some(`^${withRunningSystem}`)) return 'system';
  return some(integration) ? 'engines' : 'nothing';
}
