// Tests that need no engines.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { jest, unitTestsAlone } from './jest.ts';
import { nodeBinary, repositoryRoot } from './paths.ts';

/** Ends this process with Jest's exit code. */
export function runUnitTests(jestArguments: readonly string[]): void {
  const child = spawn(nodeBinary, [...jest, ...jestArguments, ...unitTestsAlone], {
    cwd: repositoryRoot,
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1)));
}
