import { afterEach, expect, test } from '@jest/globals';
import { buildArguments } from './images.ts';

const before = process.env;
afterEach(() => {
  process.env = before;
});

test('a service is built by the file that all of them share, the sidecar by its own', () => {
  process.env = {};
  expect(buildArguments({ name: 'audit' })).toEqual([
    'build',
    '--file=infra/docker/Dockerfile',
    '--build-arg=SERVICE=audit',
    '--tag=reeve/audit:test',
    '.',
  ]);
  expect(buildArguments({ name: 'bot-sidecar', tag: 'again', anew: true })).toEqual([
    'build',
    '--file=infra/docker/bot-sidecar.Dockerfile',
    '--no-cache',
    '--tag=reeve/bot-sidecar:again',
    '.',
  ]);
});

test('settings of npm are handed on as a secret, which is in no layer', () => {
  process.env = { REEVE_NPMRC: '/etc/npmrc', REEVE_DOCKER_BUILD: '--network=host  --pull' };
  const given = buildArguments({ name: 'auth' });
  expect(given).toEqual(expect.arrayContaining(['--secret=id=npmrc,src=/etc/npmrc', '--network=host', '--pull']));
  expect(given).not.toContain('');
});
