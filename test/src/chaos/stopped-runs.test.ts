// `npm test` that is told to stop: by Ctrl-C, which reaches every process of the terminal, or by a signal to it alone.
// Whatever it was at, nothing that it started is there afterwards.
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, expect, test } from '@jest/globals';
import { type Child, createChildren } from '@reeve/local/children';
import { nodeBinary, repositoryRoot } from '@reeve/local/paths';
import { eventually } from '@reeve/testing/eventually';
import { given } from '@reeve/testing/given';

const mark = `REEVE_MARK=${randomUUID()}`;
const directory = mkdtempSync(join(tmpdir(), 'reeve-stopped-'));

/** Processes that inherited the mark, by what they are. */
function marked(): string[] {
  return readdirSync('/proc').flatMap(pid => {
    try {
      const isMarked = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(mark);
      return isMarked ? [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')] : [];
    } catch {
      return [];
    }
  });
}

// Runs in Jest before the first test. It starts a process as a test would, and never ends.
const setUp = join(directory, 'set-up.mjs');
writeFileSync(
  setUp,
  `import { createChildren } from '${join(repositoryRoot, 'infra/local/src/children.ts')}';
export default async () => {
  if (process.env.STUBBORN) process.on('SIGTERM', () => undefined);
  const children = createChildren('${directory}');
  const layer = 'system';
  children.start({ name: 'of a test', layer, command: 'sleep', args: ['600'], cwd: '/', env: process.env });
  process.stderr.write('Jest is at it');
  await new Promise(resolve => setTimeout(resolve, 600_000));
};
`,
);

const children = createChildren(directory);
let started: Child | undefined;

function npmTest(name: string, jestArguments: readonly string[], environment: Record<string, string> = {}) {
  const [variable = '', value] = mark.split('=');
  // In a group of its own, as a terminal makes one.
  const child = children.start({
    name,
    layer: 'tests',
    command: nodeBinary,
    args: ['infra/local/bootstrap.mjs', 'test', ...jestArguments],
    cwd: repositoryRoot,
    env: { ...process.env, REEVE_ENGINES: 'processes', ...environment, [variable]: value },
  });
  started = child;
  const said = () => readFileSync(child.logFile, 'utf8');
  return {
    stopped: child.exited,
    said,
    says: (text: string) => eventually(text, async () => said().includes(text), 60_000),
    pressCtrlC: () => process.kill(-child.pid, 'SIGINT'),
    terminate: () => process.kill(child.pid, 'SIGTERM'),
  };
}

afterEach(() => started?.kill());
afterAll(async () => {
  await children.stopAll();
  rmSync(directory, { recursive: true });
});

given(existsSync('/proc'), '/proc').describe('npm test that is stopped', () => {
  test('by Ctrl-C while engines start', async () => {
    const run = npmTest('starting', ['packages/vault']);
    await run.says('MongoDB: mongod');
    await eventually('Kafka', async () => marked().some(command => command.includes('kafka.Kafka')));
    run.pressCtrlC();
    expect(await run.stopped).toBe(130);
    expect(marked()).toEqual([]);
    expect(run.said()).toContain('stopping');
    expect(run.said()).not.toMatch(/ended \(code|Error|at file:/);
  }, 90_000);

  test('by a signal to it alone while Jest runs: Jest, what a test started, and the engines', async () => {
    const run = npmTest('testing', ['packages/vault', `--globalSetup=${setUp}`]);
    await run.says('Jest is at it');
    const before = marked();
    for (const part of ['jest', 'sleep 600', 'mongod', 'kafka.Kafka'])
      expect(before.filter(command => command.includes(part))).not.toEqual([]);
    run.terminate();
    expect(await run.stopped).toBe(143);
    expect(marked()).toEqual([]);
  }, 90_000);

  test('by Ctrl-C twice, when Jest does not listen: at once', async () => {
    const run = npmTest('stubborn', ['infra/local/src/ports.test.ts', `--globalSetup=${setUp}`], { STUBBORN: 'yes' });
    await run.says('Jest is at it');
    const began = Date.now();
    run.pressCtrlC();
    await sleep(1_500);
    expect(marked()).not.toEqual([]);
    run.pressCtrlC();
    expect(await run.stopped).toBe(130);
    expect(Date.now() - began).toBeLessThan(10_000);
    expect(marked()).toEqual([]);
  }, 60_000);
});
