import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createIsolatedProcesses } from './isolated-processes.ts';

const module = new URL('./isolated-tasks.test-support.ts', import.meta.url).href;
const here = new URL('./isolated-processes.ts', import.meta.url).href;
const reported: string[] = [];
const started: { stop(): void }[] = [];
afterEach(() => {
  reported.length = 0;
  for (const one of started.splice(0)) one.stop();
});

function start(options: { most?: number; idleMs?: number; slowMs?: number } = {}) {
  const processes = createIsolatedProcesses({ ...options, onError: error => void reported.push(String(error)) });
  started.push(processes);
  let tasks = 0;
  const perform = (does: string, { withinMs = 8_000, of = `tenant ${(tasks += 1)}` } = {}) =>
    processes.perform({ of, module, task: { does }, withinMs }) as Promise<{ pid: number; environment: string[] }>;
  return { ...processes, perform };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function isGone(pid: number): Promise<boolean> {
  for (const giveUpAt = Date.now() + 5_000; Date.now() < giveUpAt; await sleep(20)) if (!isAlive(pid)) return true;
  return false;
}

describe('an isolated process', () => {
  test('answers, and is used again', async () => {
    const { perform } = start();
    const one = await perform('answers');
    expect(one.pid).not.toBe(process.pid);
    expect((await perform('answers')).pid).toBe(one.pid);
    expect(reported).toEqual([]);
  });

  test.each([
    ['throws', 'RangeError: thrown'],
    ['throws later', 'RangeError: thrown later'],
    ['rejects', 'RangeError: rejected'],
    ['fills', 'heap'],
  ])('that %s fails its task and nobody else’s, and the next task has a new one', async (does, words) => {
    const { perform } = start();
    const before = await perform('answers');
    const beside = perform('sleeps');
    await expect(perform(does)).rejects.toMatchObject({ problem: 'ended' });
    expect(reported).toEqual([expect.stringContaining(words)]);
    expect((await beside).pid).toBe(before.pid);
    expect(await perform('answers')).toMatchObject({ pid: before.pid });
  });

  test('that does not come to an end is ended', async () => {
    const { perform } = start({ most: 1 });
    const { pid } = await perform('answers');
    await expect(perform('spins', { withinMs: 300 })).rejects.toMatchObject({ problem: 'late' });
    expect(await isGone(pid)).toBe(true);
    expect((await perform('answers')).pid).not.toBe(pid);
    expect(reported).toEqual([]);
  });

  test('that may have something left is not used again', async () => {
    const { perform } = start();
    const { pid } = await perform('leaves');
    expect((await perform('answers')).pid).not.toBe(pid);
    expect(await isGone(pid)).toBe(true);
  });

  test('that had nothing to do for a while is ended, without a word', async () => {
    const { perform } = start({ idleMs: 100 });
    const { pid } = await perform('answers');
    expect(await isGone(pid)).toBe(true);
    expect((await perform('answers')).pid).not.toBe(pid);
    expect(reported).toEqual([]);
  });

  test('knows nothing of our environment but whom to trust', async () => {
    process.env['NODE_EXTRA_CA_CERTS'] = '/nowhere.pem';
    process.env['A_SECRET'] = 'x';
    const { environment } = await start().perform('answers');
    expect(environment).toContain('NODE_EXTRA_CA_CERTS');
    expect(environment).not.toContain('A_SECRET');
    delete process.env['NODE_EXTRA_CA_CERTS'];
  });

  test('lets a task end when the whole group is asked to stop', async () => {
    const { perform } = start();
    const { pid } = await perform('answers');
    const sleeping = perform('sleeps');
    process.kill(pid, 'SIGTERM');
    process.kill(pid, 'SIGINT');
    expect((await sleeping).pid).toBe(pid);
  });

  test('ends when whoever started it is killed', async () => {
    const script = `
      const { createIsolatedProcesses } = await import('${here}');
      const processes = createIsolatedProcesses({ onError: () => undefined });
      const work = { of: 'a', module: '${module}', task: { does: 'answers' }, withinMs: 8_000 };
      const { pid } = await processes.perform(work);
      process.stdout.write(String(pid));
    `;
    const args = ['--conditions=source', '--input-type=module', '--eval', script];
    const parent = spawn(process.execPath, args, {
      cwd: join(import.meta.dirname),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const pid = Number((await once(parent.stdout, 'data')) as [Buffer]);
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    expect(await isGone(pid)).toBe(true);
  });
});

describe('isolated processes', () => {
  test('are so many at a time, and others wait', async () => {
    const { perform } = start({ most: 2 });
    const pids = Array.from({ length: 6 }, () => perform('sleeps'));
    expect(new Set((await Promise.all(pids)).map(({ pid }) => pid)).size).toBe(2);
    expect(reported).toEqual([]);
  });

  test('do one task of a tenant at a time, and others’ before its next', async () => {
    const { perform } = start({ most: 2 });
    const order: string[] = [];
    const done = (of: string) => perform('sleeps', { of }).then(({ pid }) => (order.push(of), pid));
    const pids = await Promise.all(['many', 'many', 'many', 'few'].map(done));
    expect(new Set([pids[0], pids[1], pids[2]]).size).toBeLessThanOrEqual(2);
    expect(order.toSorted()).toEqual(['few', 'many', 'many', 'many']);
    expect(order.indexOf('few')).toBeLessThan(2);
  });

  test('send away a tenant of whom too many tasks wait, and nobody else', async () => {
    const { perform } = start();
    const many = Array.from({ length: 12 }, () => perform('sleeps', { of: 'many' }));
    const few = perform('answers', { of: 'few' });
    const outcomes = await Promise.allSettled(many);
    expect(outcomes.map(({ status }) => status)).toEqual([
      ...Array.from({ length: 9 }, () => 'fulfilled'),
      ...Array.from({ length: 3 }, () => 'rejected'),
    ]);
    await few;
  });

  test('have room for others beside tenants whose tasks took long, of which few wait for it', async () => {
    const { perform } = start({ most: 2, slowMs: 100 });
    const slow = ['one', 'two', 'three'];
    await Promise.all(slow.map(of => perform('sleeps', { of })));
    const again = slow.map(of => perform('sleeps', { of }));
    const anotherOfOne = perform('sleeps', { of: 'one' });
    expect((await perform('answers', { of: 'quick' })).pid).toBeGreaterThan(0);
    const outcomes = await Promise.allSettled([...again, anotherOfOne]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected']);
    expect(outcomes.at(-1)).toMatchObject({ reason: { problem: 'busy' } });
    expect((await perform('answers', { of: 'two' })).pid).toBeGreaterThan(0);
  });

  test('end when they are stopped, with what they do', async () => {
    const processes = start();
    const { pid } = await processes.perform('answers');
    const staying = processes.perform('stays', { withinMs: 60_000 }).catch((error: unknown) => error);
    await sleep(100);
    processes.stop();
    expect(await staying).toMatchObject({ problem: 'ended' });
    expect(await isGone(pid)).toBe(true);
    await expect(processes.perform('answers')).rejects.toMatchObject({ problem: 'ended' });
    expect(reported).toEqual([]);
  });
});
