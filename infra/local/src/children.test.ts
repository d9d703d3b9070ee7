import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type Children, type ChildSpec, createChildren, listsVariable } from './children.ts';
import { endLeftovers, type Left } from './leftovers.ts';
import { waitFor } from './wait-for.ts';

let directory: string;
let children: Children;
beforeEach(() => {
  // Of the run that this test is in.
  delete process.env[listsVariable];
  directory = mkdtempSync(join(tmpdir(), 'reeve-children-'));
  children = createChildren(directory);
});
afterEach(async () => {
  children.killAll();
  await children.stopAll();
  rmSync(directory, { recursive: true });
});

const shell = (name: string, script: string, layer: ChildSpec['layer'] = 'system'): ChildSpec => ({
  name,
  layer,
  command: 'sh',
  args: ['-c', script],
  cwd: directory,
  env: { PATH: process.env['PATH'] },
});
/** Says its name when it is ready and when it ends. */
const telling = (name: string, layer: ChildSpec['layer']) =>
  shell(name, `trap 'echo ${name} >> ended; exit 0' TERM; echo ready; while :; do sleep 0.02; done`, layer);

const says = (name: string, text: string) =>
  waitFor(() => Promise.resolve(readFileSync(join(directory, 'logs', `${name}.log`), 'utf8').includes(text)), {
    withinMs: 5_000,
  });

test('what stands on something is stopped before that, in whatever order it was started', async () => {
  children.start(telling('store', 'engines'));
  children.start(telling('jest', 'tests'));
  children.start(telling('auth', 'system'));
  for (const name of ['store', 'jest', 'auth']) await says(name, 'ready');
  await children.stopAll();
  expect(readFileSync(join(directory, 'ended'), 'utf8').trim().split('\n')).toEqual(['jest', 'auth', 'store']);
});

test('one that ends by itself is told from one that is stopped', async () => {
  const ended: string[] = [];
  for (const [name, script] of Object.entries({ one: 'exit 3', other: 'sleep 20' })) {
    const child = children.start(shell(name, script));
    void child.endedByItself.then(code => ended.push(`${name} ${code}`));
    if (name === 'one') await child.exited;
  }
  await children.stopAll();
  expect(ended).toEqual(['one 3']);
});

test('one that is paused is stopped too', async () => {
  const child = children.start(telling('paused', 'system'));
  await says('paused', 'ready');
  process.kill(-child.pid, 'SIGSTOP');
  await child.stop();
  expect(readFileSync(join(directory, 'ended'), 'utf8')).toBe('paused\n');
});

test('nothing is started once everything is being stopped', async () => {
  await children.stopAll();
  expect(() => children.start(shell('late', 'exit 0'))).toThrow('everything is being stopped');
});

test('a command that fails says why', async () => {
  await expect(children.finish(shell('good', 'exit 0'))).resolves.toBeUndefined();
  await expect(children.finish(shell('bad', 'echo no such thing >&2; exit 4'))).rejects.toThrow(
    'sh failed (code 4): no such thing',
  );
});

test('what another left behind is ended, but not while that other is there', async () => {
  const left = children.start(shell('left', 'sleep 20'));
  const list = join(directory, 'processes.json');
  await expect(endLeftovers(list)).rejects.toThrow(`it runs already (process ${process.pid})`);
  expect(left.hasExited()).toBe(false);

  const { pid: supervisor } = spawnSync('true');
  const { children: listed } = JSON.parse(readFileSync(list, 'utf8')) as Left;
  writeFileSync(list, JSON.stringify({ supervisor: { pid: supervisor, began: '1' }, children: listed }));
  expect(await endLeftovers(list)).toEqual(['left']);
  await left.exited;
});

test('what has the number of something that was left behind is none of ours', async () => {
  const other = children.start(shell('other', 'sleep 20'));
  const list = join(directory, 'processes.json');
  const gone = { pid: process.pid, began: '1' };
  writeFileSync(list, JSON.stringify({ supervisor: gone, children: [{ name: 'left', pid: other.pid, began: '1' }] }));
  expect(await endLeftovers(list)).toEqual([]);
  expect(other.hasExited()).toBe(false);
});

test('what cannot be started says so', () => {
  expect(() => children.start({ ...shell('none', ''), command: '/not/there' })).toThrow(
    'none could not be started: /not/there',
  );
});
