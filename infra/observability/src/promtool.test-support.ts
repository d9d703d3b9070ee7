// Prometheus' own reading of rules and of queries.
import { spawnSync } from 'node:child_process';
import { isCi } from '@reeve/local/is-ci';
import { foundPromtool } from '@reeve/local/prometheus-tools';
import { given } from '@reeve/testing/given';

const program = foundPromtool();
/** Skips where there is no promtool; in CI it has to be there. */
export const prometheus = given(program !== null || isCi(), 'promtool: needs Go');

/** Gives what it says, with its exit code. */
export function promtool(...args: string[]): { code: number | null; said: string } {
  if (program === null) throw new Error('promtool is not there: `npm test -- infra/observability` fetches it, with Go');
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 2 ** 24 });
  if (error) throw error;
  return { code: status, said: stdout + stderr };
}
