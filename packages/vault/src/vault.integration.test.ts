import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Message, newId, ProblemError } from '@reeve/contracts';
import { collection, openStore, type Store, type StoreOptions } from '@reeve/store';
import { eventually } from '@reeve/testing';
import { dataKeys, isThere } from './data-key.ts';
import type { KeyManagement } from './key-management.ts';
import { localKeyFile } from './kinds/registry.ts';
import { cause, publishTo, uri } from './vault.test-support.ts';
import { createVault, SecretMissingError, secrets, type Vault, vaultCollections } from './vault.ts';

const directory = mkdtempSync(join(tmpdir(), 'reeve-vault-'));
const keyFile = (name: string, mode = 0o600) => {
  const path = join(directory, name);
  writeFileSync(path, JSON.stringify({ active: 'k1', keys: { k1: randomBytes(32).toString('base64') } }), { mode });
  return path;
};
const published: Message[] = [];
const path = keyFile('keys.json');
const database = `vault_${randomUUID().slice(0, 8)}`;
const openOwn = (options: Partial<StoreOptions> = {}) =>
  openStore({ uri, database, source: '/test', contents: { collections: vaultCollections }, ...options });
let store: Store;
let vault: Vault;

beforeAll(async () => {
  store = openOwn();
  vault = createVault({ store, keys: localKeyFile(path) });
  await store.prepare();
  publishTo(store, published);
});

afterAll(() => store.close());

describe('vault', () => {
  const ref = { secretClass: 'test', id: 'one' };

  test('gives back what was put in, and every read is an event before it is an answer', async () => {
    const tenantId = newId('tenant');
    await vault.put(tenantId, ref, 'geheim ☃', cause);
    expect((await vault.read(tenantId, ref, { cause, purpose: 'test' })).toString('utf8')).toBe('geheim ☃');
    await new Promise(resolve => setTimeout(resolve, 100));
    const mine = published.filter(({ event }) => event.tenantId === tenantId);
    expect(mine.map(({ event }) => event.type).toSorted()).toEqual(['secret.accessed', 'secret.stored']);
    expect(JSON.stringify(mine)).not.toContain('geheim');
    expect(mine.find(({ event }) => event.type === 'secret.accessed')?.event.data).toMatchObject({
      actor: cause.actor,
      target: { id: 'one' },
      details: { purpose: 'test' },
    });
  });

  test('another tenant, another class and another id hold nothing', async () => {
    const [mine, theirs] = [newId('tenant'), newId('tenant')];
    await vault.put(mine, ref, 'mine', cause);
    for (const [tenantId, other] of [
      [theirs, ref],
      [mine, { ...ref, id: 'two' }],
      [mine, { ...ref, secretClass: 'other' }],
    ] as const) {
      await expect(vault.read(tenantId, other, { cause, purpose: 'test' })).rejects.toBeInstanceOf(SecretMissingError);
    }
  });

  test('a ciphertext moved to another tenant, class or id does not open', async () => {
    const [mine, theirs] = [newId('tenant'), newId('tenant')];
    for (const [tenantId, other] of [
      [mine, ref],
      [theirs, ref],
      [mine, { ...ref, id: 'two' }],
      [mine, { ...ref, secretClass: 'other' }],
    ] as const)
      await vault.put(tenantId, other, `${tenantId} ${other.id}`, cause);
    const rows = store.collection(secrets);
    const sealed = (await rows.in(mine).get('test/one'))?.state.sealed ?? '';
    for (const [tenantId, other] of [
      [theirs, ref],
      [mine, { ...ref, id: 'two' }],
      [mine, { ...ref, secretClass: 'other' }],
    ] as const) {
      await rows
        .in(tenantId)
        .put(`${other.secretClass}/${other.id}`, { secretClass: other.secretClass, sealed, destroyedAt: null });
      await expect(vault.read(tenantId, other, { cause, purpose: 'test' })).rejects.toThrow(
        /unable to authenticate|auth/i,
      );
    }
    expect((await vault.read(mine, ref, { cause, purpose: 'test' })).toString()).toBe(`${mine} one`);
  });

  test('a flipped bit does not open', async () => {
    const tenantId = newId('tenant');
    await vault.put(tenantId, ref, 'whole', cause);
    const rows = store.collection(secrets);
    const bytes = Buffer.from((await rows.in(tenantId).get('test/one'))?.state.sealed ?? '', 'base64');
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
    await rows
      .in(tenantId)
      .put('test/one', { secretClass: 'test', sealed: bytes.toString('base64'), destroyedAt: null });
    await expect(vault.read(tenantId, ref, { cause, purpose: 'test' })).rejects.toThrow();
  });

  test('what is destroyed is gone, and destroying it again says nothing more', async () => {
    const tenantId = newId('tenant');
    await vault.put(tenantId, ref, 'x', cause);
    await vault.destroy(tenantId, ref, cause);
    await vault.destroy(tenantId, ref, cause);
    await expect(vault.read(tenantId, ref, { cause, purpose: 'test' })).rejects.toBeInstanceOf(SecretMissingError);
    const told = () => published.filter(({ event }) => event.tenantId === tenantId).map(({ event }) => event.type);
    await eventually('both to be told', () => told().length > 1);
    expect(told()).toEqual(['secret.stored', 'secret.destroyed']);
    expect(await store.collection(secrets).in(tenantId).get('test/one')).toBeNull();
    await vault.put(tenantId, ref, 'again', cause);
    expect((await vault.read(tenantId, ref, { cause, purpose: 'test' })).toString()).toBe('again');
  });

  test('what is destroyed before anything was published of it is told in full by whoever publishes it', async () => {
    const tenantId = newId('tenant');
    const own = { database: `vault_${randomUUID().slice(0, 8)}` };
    const lost = openOwn({ ...own, publishLeaseMs: 100 });
    const doomed = createVault({ store: lost, keys: localKeyFile(path) });
    await doomed.put(tenantId, ref, 'x', cause);
    await doomed.destroy(tenantId, ref, cause);
    await lost.close();
    const told: string[] = [];
    const other = openOwn({ ...own, takeOverAfterMs: 100, sweepMs: 100 });
    other.startPublishing({
      publish: messages => Promise.resolve(void told.push(...messages.map(({ event }) => event.type))),
      findPublished: () => Promise.resolve(new Set()),
      once: false,
    });
    await eventually('both to be told', () => told.length > 1);
    await other.close();
    expect(told).toEqual(['secret.stored', 'secret.destroyed']);
  });

  test('two vaults that meet a class for the first time at once agree on its key', async () => {
    const tenantId = newId('tenant');
    const vaults = Array.from({ length: 5 }, () => createVault({ store, keys: localKeyFile(path) }));
    await Promise.all(
      vaults.map((one, index) => one.put(tenantId, { ...ref, id: String(index) }, String(index), cause)),
    );
    for (const index of vaults.keys())
      expect((await vault.read(tenantId, { ...ref, id: String(index) }, { cause, purpose: 'test' })).toString()).toBe(
        String(index),
      );
  });
});

describe('what wraps the data keys', () => {
  const ref = { secretClass: 'test', id: 'one' };
  const about = { cause, purpose: 'test' } as const;
  const away = () => Promise.reject(new ProblemError('key_service_unavailable'));

  /** A key management that a test has fail, or lie. */
  function switchable() {
    const good = localKeyFile(path);
    let now: Partial<KeyManagement> = {};
    const keys: KeyManagement = {
      wrap: (...args) => (now.wrap ?? good.wrap)(...args),
      unwrap: (...args) => (now.unwrap ?? good.unwrap)(...args),
      assertUsable: good.assertUsable,
    };
    return { keys, does: (next: Partial<KeyManagement>) => void (now = next) };
  }

  test('may be away without an effect on what is open; what is not open waits', async () => {
    const [open, shut] = [newId('tenant'), newId('tenant')];
    const { keys, does } = switchable();
    const own = createVault({ store, keys });
    await own.put(open, ref, 'open', cause);
    await vault.put(shut, ref, 'shut', cause);
    does({ wrap: away, unwrap: away });
    expect((await own.read(open, ref, about)).toString()).toBe('open');
    await own.put(open, ref, 'open still', cause);
    await expect(own.read(shut, ref, about)).rejects.toMatchObject({ code: 'key_service_unavailable' });
    await expect(own.put(newId('tenant'), ref, 'new', cause)).rejects.toMatchObject({
      code: 'key_service_unavailable',
    });
    does({});
    expect((await own.read(open, ref, about)).toString()).toBe('open still');
    expect((await own.read(shut, ref, about)).toString()).toBe('shut');
  });

  test('is asked once by many who come at once', async () => {
    const tenantId = newId('tenant');
    await vault.put(tenantId, ref, 'x', cause);
    const { keys, does } = switchable();
    let asked = 0;
    does({
      unwrap: (...args) => {
        asked += 1;
        return localKeyFile(path).unwrap(...args);
      },
    });
    const own = createVault({ store, keys });
    await Promise.all(Array.from({ length: 10 }, () => own.read(tenantId, ref, about)));
    expect(asked).toBe(1);
  });

  test('and answers with another key than was wrapped has nothing sealed by it', async () => {
    const [known, fresh] = [newId('tenant'), newId('tenant')];
    await vault.put(known, ref, 'kept', cause);
    const { keys, does } = switchable();
    const own = createVault({ store, keys });
    does({ unwrap: async () => randomBytes(32) });
    for (const tenantId of [known, fresh])
      await expect(own.put(tenantId, ref, 'lost', cause)).rejects.toMatchObject({ code: 'key_service_unavailable' });
    expect(await store.collection(dataKeys).in(fresh).get('test')).toBeNull();
    does({});
    expect((await own.read(known, ref, about)).toString()).toBe('kept');
    await own.put(fresh, ref, 'kept', cause);
    expect((await own.read(fresh, ref, about)).toString()).toBe('kept');
  });

  test('opens no data key that was moved to another tenant or class', async () => {
    const [mine, theirs] = [newId('tenant'), newId('tenant')];
    await vault.put(mine, ref, 'mine', cause);
    await vault.put(theirs, ref, 'theirs', cause);
    await vault.put(mine, { ...ref, secretClass: 'other' }, 'other', cause);
    const rows = store.collection(dataKeys);
    const wrapped = await rows.in(mine).get('test');
    if (!wrapped) throw new Error('there is no data key');
    const own = () => createVault({ store, keys: localKeyFile(path) });
    await rows.in(theirs).put('test', wrapped.state);
    await rows.in(mine).put('other', wrapped.state);
    await expect(own().read(theirs, ref, about)).rejects.toThrow(/authenticate/);
    await expect(own().read(mine, { ...ref, secretClass: 'other' }, about)).rejects.toThrow(/authenticate/);
    expect((await own().read(mine, ref, about)).toString()).toBe('mine');
  });

  test('opens what was wrapped before rows named their kind', async () => {
    const tenantId = newId('tenant');
    await vault.put(tenantId, ref, 'from before', cause);
    const firstVersion = collection<object>({ name: 'vault_data_keys' });
    const before = openStore({
      uri: String(uri),
      database,
      source: '/test',
      contents: { collections: [firstVersion] },
    });
    const rows = before.collection(firstVersion).in(tenantId);
    const now = (await store.collection(dataKeys).in(tenantId).get('test'))?.state;
    if (!now || !isThere(now)) throw new Error('there is no data key');
    await rows.remove('test');
    await rows.put('test', { keyId: now.keyId, wrapped: now.wrapped });
    await before.close();
    const own = createVault({ store, keys: localKeyFile(path) });
    expect((await own.read(tenantId, ref, about)).toString()).toBe('from before');
  });
});

test('a key file that others can read is refused', () => {
  expect(() => localKeyFile(keyFile('open.json', 0o644))).toThrow('chmod 600');
});
