import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { repositoryRoot } from './paths.ts';

/** As `npm <command> -- <argument>` does. */
const run = (command: string, argument: string) =>
  spawnSync(process.execPath, [join(repositoryRoot, 'infra/local/bootstrap.mjs'), command, argument], {
    encoding: 'utf8',
    timeout: 10_000,
  });

test.each(['start', 'test', 'unit', 'watch', 'demo', 'bench'])('%s says what it takes, and does nothing', command => {
  const { status, stdout } = run(command, '--help');
  expect([status, stdout]).toEqual([0, expect.stringMatching(new RegExp(`^Usage: npm .*${command}`))]);
  expect(stdout).not.toContain('reeve:');
});

test('a command says its version, and refuses what it does not know by code 2', () => {
  expect(run('demo', '--version')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  const { status, stderr } = run('start', '--unknown');
  expect([status, stderr]).toEqual([2, expect.stringContaining("unknown option '--unknown'")]);
});
