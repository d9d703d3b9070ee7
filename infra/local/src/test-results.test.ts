import { expect, test } from '@jest/globals';
import { readTestResults, together } from './test-results.ts';

const file = (...tests: [string, string][]) => ({
  name: `${tests[0]?.[1]}.test.ts`,
  status: tests.some(([status]) => status === 'failed') ? 'failed' : 'passed',
  assertionResults: tests.map(([status, fullName]) => ({ status, fullName })),
});
const read = (counts: object, ...testResults: object[]) =>
  readTestResults(
    JSON.stringify({ numPassedTests: 0, numFailedTests: 0, numRuntimeErrorTestSuites: 0, ...counts, testResults }),
  );

test('a file that did not begin counts as a failure', () => {
  expect(read({ numPassedTests: 3, numFailedTests: 1, numRuntimeErrorTestSuites: 2 })).toMatchObject({
    passed: 3,
    failed: 3,
  });
});

test('what failed is named, and where', () => {
  const { failedFiles, failedTests } = read(
    {},
    file(['passed', 'one'], ['failed', 'two']),
    file(['passed', 'three'], ['pending', 'four']),
  );
  expect(failedFiles).toEqual(['one.test.ts']);
  expect(failedTests).toEqual(['two']);
});

test('a test that is left out on purpose lacks nothing', () => {
  expect(read({}, file(['pending', 'left out'], ['passed', 'another'])).lacks).toBe(false);
});

test('what skipped tests lacked is said once, with their number', () => {
  const browser = 'in a browser (skipped without Chromium: set CHROMIUM_BINARY)';
  const { skipped, lacks } = read(
    {},
    file(['pending', `${browser} one`], ['pending', `${browser} two`], ['passed', 'another']),
    file(['pending', 'the sample (skipped without php) is accepted'], ['pending', 'left out']),
  );
  expect(skipped).toEqual([
    '2 skipped without Chromium: set CHROMIUM_BINARY',
    '1 skipped without php',
    '1 skipped by its code or by the arguments',
  ]);
  expect(lacks).toBe(true);
});

test('several runs are one', () => {
  const one = read({ numPassedTests: 2 }, file(['pending', 'x (skipped without php)']));
  const other = read({ numPassedTests: 3, numFailedTests: 1 }, file(['failed', 'two']));
  expect(together([one, other])).toEqual({
    passed: 5,
    failed: 1,
    failedFiles: ['two.test.ts'],
    failedTests: ['two'],
    skipped: ['1 skipped without php'],
    lacks: true,
  });
});
