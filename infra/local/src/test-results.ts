// What Jest says of a run, in few lines.
import { z } from 'zod';

const results = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  /** Files that did not even begin. */
  numRuntimeErrorTestSuites: z.number(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      assertionResults: z.array(z.object({ status: z.string(), fullName: z.string() })),
    }),
  ),
});

export type TestResults = {
  passed: number;
  failed: number;
  /** Paths of the files in which something failed. */
  failedFiles: string[];
  failedTests: string[];
  skipped: string[];
  /** Whether any was skipped for what is not on this machine. */
  lacks: boolean;
};

/** Of several runs. */
export function together(runs: readonly TestResults[]): TestResults {
  const sum = (of: (run: TestResults) => number) => runs.reduce((total, run) => total + of(run), 0);
  return {
    passed: sum(({ passed }) => passed),
    failed: sum(({ failed }) => failed),
    failedFiles: runs.flatMap(({ failedFiles }) => failedFiles),
    failedTests: runs.flatMap(({ failedTests }) => failedTests),
    skipped: runs.flatMap(({ skipped }) => skipped),
    lacks: runs.some(({ lacks }) => lacks),
  };
}

const notLacking = 'by its code or by the arguments';

/** `skipped` has a line for each thing that tests lacked. Their titles say it: `(skipped without php)`. */
export function readTestResults(json: string): TestResults {
  const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites, testResults } = results.parse(JSON.parse(json));
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  const lacked = tests
    .filter(({ status }) => status === 'pending')
    .map(({ fullName }) => /\(skipped (without [^)]+)\)/.exec(fullName)?.[1] ?? notLacking);
  return {
    passed: numPassedTests,
    failed: numFailedTests + numRuntimeErrorTestSuites,
    failedFiles: testResults.filter(({ status }) => status === 'failed').map(({ name }) => name),
    failedTests: tests.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName),
    skipped: [...Map.groupBy(lacked, why => why)].map(([why, tests]) => `${tests.length} skipped ${why}`),
    lacks: lacked.some(why => why !== notLacking),
  };
}
