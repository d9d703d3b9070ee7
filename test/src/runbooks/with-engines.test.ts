// Runbooks of engines that are lost, under load, in one system on three members of MongoDB and a broker.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { OwnReplicaSet } from '@reeve/local/own-replica-set';
import { localDirectory } from '@reeve/local/paths';
import { eventually } from '@reeve/testing/eventually';
import { given } from '@reeve/testing/given';
import { type OwnSystem, startOwnSystem } from '../support/own-system.ts';
import { type Load, startLoad } from './load.ts';
import { variablesOf } from './rehearsal.ts';
import { openRunbook } from './runbook.ts';

const minutes = 60_000;
/** Of the third member: enough for what it writes before it is full. */
const smallDisk = '700m';
const third = 2;

mkdirSync(join(localDirectory, 'test'), { recursive: true });
const directory = mkdtempSync(join(localDirectory, 'test/members-'));
const directories = [0, 1, third].map(index => join(directory, String(index)));
const small = directories[third] ?? '';
for (const one of directories) mkdirSync(one);
const hasSmallDisk = mount();

let own: OwnSystem;
let members: OwnReplicaSet;
let load: Load;
let variables: ReturnType<typeof variablesOf>;

function mount(): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${smallDisk}`, 'reeve', small], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

beforeAll(async () => {
  own = await startOwnSystem('engines', { replicaSetIn: directories });
  members = own.replicaSet as OwnReplicaSet;
  variables = variablesOf(own.system.credentials);
  load = await startLoad(own.system.credentials);
}, 3 * minutes);
afterAll(async () => {
  await own.stop();
  if (hasSmallDisk) execFileSync('umount', [small]);
  rmSync(directory, { recursive: true, force: true });
}, minutes);

/** Which takes writes, in the end; another one than `not`. */
async function primary(not?: number): Promise<number> {
  const [found] = await eventually(
    'a primary',
    async () => {
      const now = await members.primary();
      return now === null || now === not ? null : [now];
    },
    minutes,
  );
  return found as number;
}

test(
  'lost-store: what was acknowledged holds when the primary steps down, is killed, and most members are away',
  async () => {
    const runbook = openRunbook('lost-store');
    await load.goesOn();
    const first = await primary();
    await members.stepDown(first);
    const second = await primary(first);
    await load.goesOn();

    await members.kill(second);
    const { out } = await runbook.run('store members', variables, { code: 1 });
    expect(out).toContain(`${members.hosts[second]}  (not reachable/healthy)`);
    const last = await primary(second);
    await load.goesOn();

    // No majority: nothing is taken, and everybody is told when to come again.
    await members.kill(last);
    const { refused } = load.counts();
    await eventually('it is refused', async () => (load.counts().refused['503'] ?? 0) > (refused['503'] ?? 0), minutes);
    for (const index of [second, last]) members.start(index);
    await primary();
    await load.goesOn();
    expect((await runbook.run('readyz', variables)).out.match(/^200 /gm)).toHaveLength(5);
    expect((await runbook.run('store members', variables, { withinMs: minutes })).out).toContain('3 members');
    runbook.isDone();
    // Nobody was left without an answer.
    expect(load.counts().refused['0']).toBeUndefined();
  },
  4 * minutes,
);

test(
  'lost-broker: webhooks and sign-ins are taken without Kafka, and are published when it is back',
  async () => {
    const runbook = openRunbook('lost-broker');
    const refused = load.counts().refused;
    await own.restartKafka(async () => {
      const { err } = await runbook.run('kafka status', variables, { code: 2 });
      expect(err).toContain('reeve: ');
      await load.goesOn();
    });
    expect((await runbook.run('readyz', variables)).out.match(/^200 /gm)).toHaveLength(5);
    await load.goesOn();
    expect((await runbook.run('kafka status', variables)).out).toContain('1 brokers');
    expect(load.counts().refused).toEqual(refused);
    runbook.isDone();
  },
  3 * minutes,
);

given(hasSmallDisk, 'the right to mount a small file system').test(
  'full-disk: a member that is full ends, the others go on, and it catches up when there is room',
  async () => {
    const runbook = openRunbook('full-disk');
    const withData = { ...variables, DATA: small };
    await members.stepUp(third);
    const filler = join(small, 'filler');
    const block = Buffer.alloc(1024 * 1024);
    for (;;)
      try {
        writeFileSync(filler, block, { flag: 'a' });
      } catch {
        break;
      }
    await eventually('it ends', async () => members.hasExited(third), 2 * minutes);
    await primary(third);
    await load.goesOn();
    expect((await runbook.run('store members', withData, { code: 1 })).out).toContain(`${members.hosts[third]}  (not`);
    expect((await runbook.run('df', withData)).out).toContain('100%');
    rmSync(filler);
    members.start(third);
    await runbook.run('store members', withData, { withinMs: minutes });
    runbook.isDone();
  },
  4 * minutes,
);

test('nothing that was acknowledged is lost', () => load.endsWell(), 3 * minutes);
