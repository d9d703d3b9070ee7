// Services are replaced under load, one after the other: all of them, and back those that answer the load. There is one
// release so far: both generations are of it, so what mixed versions make of each other's events and documents is not
// shown here.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ServiceName, serviceNames } from '@reeve/local/system';
import { type OwnSystem, startOwnSystem } from '../support/own-system.ts';
import { type Load, startLoad } from './load.ts';
import { variablesOf } from './rehearsal.ts';
import { openRunbook } from './runbook.ts';

const minutes = 60_000;

let own: OwnSystem;
let load: Load;
let variables: Record<string, string>;

beforeAll(async () => {
  own = await startOwnSystem('replaced', { balanced: true });
  variables = { ...variablesOf(own.system.credentials), TOPIC: 'reeve.directory.v1', GROUP: 'audit.chain' };
  load = await startLoad(own.system.credentials);
}, 3 * minutes);
afterAll(async () => {
  process.stderr.write(`  while services were replaced: ${load.told()}\n`);
  await own.stop();
}, minutes);

async function replace(names: readonly ServiceName[]): Promise<void> {
  for (const name of names) {
    const before = own.system.pidOf(name);
    await own.system.replace(name);
    expect(own.system.pidOf(name)).not.toBe(before);
    await load.goesOn();
  }
}

const readyOf = (out: string) => out.match(/^200 /gm);

test(
  'upgrade: no request fails while every service is replaced',
  async () => {
    const runbook = openRunbook('upgrade');
    await runbook.run('store members', variables);
    await replace(serviceNames);
    expect(readyOf((await runbook.run('readyz', variables)).out)).toHaveLength(5);
    runbook.isDone();
    expect(load.counts()).toMatchObject({ refused: {}, failedSignIns: 0 });
  },
  4 * minutes,
);

test(
  'rollback: no request fails while services are replaced back, and nothing was set aside',
  async () => {
    const runbook = openRunbook('rollback');
    await replace(['auth', 'provisioning', 'webhook-ingress']);
    expect(readyOf((await runbook.run('readyz', variables)).out)).toHaveLength(5);
    expect((await runbook.run('dead-letters', variables)).out).toContain('0 dead letters');
    await runbook.run('kafka status', variables);
    runbook.isDone();
    expect(load.counts()).toMatchObject({ refused: {}, failedSignIns: 0 });
  },
  4 * minutes,
);

test(
  'a request fails where a service is killed in place of replaced',
  async () => {
    await Promise.all([own.system.crash('webhook-ingress'), load.isRefused()]);
  },
  2 * minutes,
);

test('nothing that was acknowledged is lost', () => load.endsWell(), 2 * minutes);
