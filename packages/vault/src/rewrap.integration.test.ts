// Wrapping data keys anew: in portions, beside vaults that use them, by two at once, and by one that is killed.
import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Message, newId, ProblemError, type TenantId } from '@reeve/contracts';
import { openStore, type Store } from '@reeve/store';
import { eventually } from '@reeve/testing';
import { dataKeys, type StoredDataKey } from './data-key.ts';
import { localKeyFile } from './kinds/registry.ts';
import { createRewrapping } from './rewrap-data-keys.ts';
import { cause, publishTo, uri } from './vault.test-support.ts';
import { createVault, type Vault, vaultCollections } from './vault.ts';

const about = { cause, purpose: 'test' } as const;
const directory = mkdtempSync(join(tmpdir(), 'reeve-rewrap-'));
const secretsOfFile = { k1: randomBytes(32).toString('base64'), k2: randomBytes(32).toString('base64') };
const keyFile = (name: string, active: 'k1' | 'k2', keys: Partial<typeof secretsOfFile>) => {
  const path = join(directory, name);
  writeFileSync(path, JSON.stringify({ active, keys }), { mode: 0o600 });
  return path;
};
const { k1, k2 } = secretsOfFile;
const [before, both, after] = [
  keyFile('before.json', 'k1', { k1 }),
  keyFile('both.json', 'k2', { k1, k2 }),
  keyFile('after.json', 'k2', { k2 }),
];

const published: Message[] = [];
let database: string;
let store: Store;
let old: Vault;
let tenants: TenantId[];

beforeEach(async () => {
  database = `rewrap_${randomUUID().slice(0, 8)}`;
  store = openStore({ uri, database, source: '/test', contents: { collections: vaultCollections } });
  await store.prepare();
  published.length = 0;
  publishTo(store, published);
  old = createVault({ store, keys: localKeyFile(before) });
  tenants = Array.from({ length: 20 }, () => newId('tenant'));
  await Promise.all(tenants.map(tenantId => old.put(tenantId, refOf(tenantId), `of ${tenantId}`, cause)));
});
afterEach(() => store.close());
afterAll(() => rmSync(directory, { recursive: true }));

const refOf = (id: string) => ({ secretClass: 'test', id });
const rewrapping = (path = both) => createRewrapping({ store, keys: localKeyFile(path) });

async function rewrapAll({ everything = false, limit = 7 } = {}) {
  const own = rewrapping();
  let [looked, rewrapped] = [0, 0];
  let next: Awaited<ReturnType<typeof own.rewrap>>['next'] | undefined;
  do {
    const done = await own.rewrap({ everything, limit, cause, after: next ?? undefined });
    expect(done.failed).toEqual([]);
    looked += done.looked;
    rewrapped += done.rewrapped;
    next = done.next;
  } while (next);
  return { looked, rewrapped };
}
const counts = async () => {
  const { items, newest } = await rewrapping().count({ limit: 1_000 });
  return { newest: newest.keyId, ...Object.fromEntries(items.map(({ keyId, dataKeys: number }) => [keyId, number])) };
};
/** By a vault that has nothing open yet. */
async function allOpenBy(path: string): Promise<void> {
  const fresh = createVault({ store, keys: localKeyFile(path) });
  for (const tenantId of tenants)
    expect((await fresh.read(tenantId, refOf(tenantId), about)).toString()).toBe(`of ${tenantId}`);
}

describe('data keys', () => {
  test('are counted by key, and wrapped anew in portions, each with its event', async () => {
    expect(await counts()).toEqual({ newest: 'k2', k1: 20 });
    expect(await rewrapAll()).toEqual({ looked: 20, rewrapped: 20 });
    expect(await counts()).toEqual({ newest: 'k2', k2: 20 });
    const told = () => published.filter(({ event }) => event.type === 'secret.rewrapped');
    await eventually('all to be told', () => told().length === 20);
    expect(told()[0]?.event.data).toMatchObject({
      target: { id: 'test' },
      details: { secretClass: 'test', keyId: 'k2', formerKeyId: 'k1' },
    });
    await allOpenBy(after);
    await expect(allOpenBy(before)).rejects.toMatchObject({ code: 'key_unusable' });
  });

  test('that are under the newest key already are left alone, unless all are wanted', async () => {
    await rewrapAll();
    expect(await rewrapAll()).toEqual({ looked: 20, rewrapped: 0 });
    expect(await rewrapAll({ everything: true })).toEqual({ looked: 20, rewrapped: 20 });
    await allOpenBy(after);
  });

  test('stay what they are for a vault that has them open', async () => {
    await rewrapAll();
    const [tenantId = newId('tenant')] = tenants;
    await old.put(tenantId, refOf('later'), 'sealed by an old instance', cause);
    const fresh = createVault({ store, keys: localKeyFile(after) });
    expect((await fresh.read(tenantId, refOf('later'), about)).toString()).toBe('sealed by an old instance');
  });

  test('are wrapped anew by two at once', async () => {
    const done = await Promise.all([rewrapAll(), rewrapAll({ limit: 3 })]);
    expect(done.reduce((sum, { rewrapped }) => sum + rewrapped, 0)).toBe(20);
    expect(await counts()).toEqual({ newest: 'k2', k2: 20 });
    await allOpenBy(after);
  });

  test('that go missing meanwhile do not come back', async () => {
    const keys = localKeyFile(both);
    const [gone = newId('tenant')] = tenants;
    const own = createRewrapping({
      store,
      keys: {
        ...keys,
        async unwrap(key, context) {
          if (context.includes(gone)) await store.collection(dataKeys).in(gone).remove('test');
          return keys.unwrap(key, context);
        },
      },
    });
    expect(await own.rewrap({ everything: false, limit: 100, cause })).toMatchObject({ looked: 20, rewrapped: 19 });
    expect(await store.collection(dataKeys).in(gone).get('test')).toBeNull();
  });

  test('that do not open are named and left; while the key service is away nothing goes on', async () => {
    const [broken = newId('tenant')] = tenants;
    const moved = await store
      .collection(dataKeys)
      .in(tenants[1] as TenantId)
      .get('test');
    if (!moved) throw new Error('there is no data key');
    const [, , changed = newId('tenant')] = tenants;
    const ofChanged = store.collection(dataKeys).in(changed);
    const before = (await ofChanged.get('test'))?.state;
    await store.collection(dataKeys).in(broken).put('test', moved.state);
    // As of somebody who writes to the store: what comes back is not what the row says was wrapped.
    await ofChanged.put('test', { ...before, check: 'AAAA' } as StoredDataKey);
    const done = await rewrapping().rewrap({ everything: false, limit: 100, cause });
    expect(done.rewrapped).toBe(18);
    expect(new Set(done.failed)).toEqual(
      new Set([
        { tenantId: broken, secretClass: 'test', code: 'does_not_open' },
        { tenantId: changed, secretClass: 'test', code: 'does_not_open' },
      ]),
    );
    const away = createRewrapping({
      store,
      keys: { ...localKeyFile(both), unwrap: () => Promise.reject(new ProblemError('key_service_unavailable')) },
    });
    await expect(away.rewrap({ everything: true, limit: 100, cause })).rejects.toMatchObject({
      code: 'key_service_unavailable',
    });
  });

  test('are whole when who wraps them is killed in the middle, and the next one goes on', async () => {
    const program = `
      import { openStore } from '@reeve/store';
      import { localKeyFile } from '${join(import.meta.dirname, 'kinds/registry.ts')}';
      import { createRewrapping } from '${join(import.meta.dirname, 'rewrap-data-keys.ts')}';
      import { vaultCollections } from '${join(import.meta.dirname, 'vault.ts')}';
      const store = openStore({
        uri: process.env.URI, database: process.env.DATABASE, source: '/test', contents: { collections: vaultCollections },
      });
      const own = createRewrapping({ store, keys: localKeyFile(${JSON.stringify(both)}) });
      let after;
      do {
        const done = await own.rewrap({ everything: false, limit: 1, cause: ${JSON.stringify(cause)}, after });
        after = done.next;
        process.stdout.write('.');
        await new Promise(resolve => setTimeout(resolve, 20));
      } while (after);
    `;
    const child = spawn(
      process.execPath,
      ['--conditions=source', '--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program],
      {
        cwd: import.meta.dirname,
        env: { ...process.env, URI: uri, DATABASE: database },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let progress = 0;
    child.stdout.on('data', chunk => {
      progress += String(chunk).length;
    });
    await eventually('some to be wrapped anew', () => progress > 4, 30_000);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const then = await counts();
    expect(then).toMatchObject({ k1: expect.any(Number), k2: expect.any(Number) });
    await allOpenBy(both);
    await rewrapAll();
    expect(await counts()).toEqual({ newest: 'k2', k2: 20 });
    await allOpenBy(after);
  }, 60_000);
});
