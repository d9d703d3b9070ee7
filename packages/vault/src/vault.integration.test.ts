import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Cause, emptyContext, type Message, newId } from '@reeve/contracts';
import { openStore, type Store, type StoreOptions } from '@reeve/store';
import { eventually } from '@reeve/testing';
import { localKeyFile } from './key-management.ts';
import { createVault, SecretMissingError, secrets, type Vault, vaultCollections } from './vault.ts';

const uri = process.env['REEVE_TEST_MONGODB'];
if (uri === undefined) throw new Error('there is no store: use `npm test`, which starts one');

const cause: Cause = {
  actor: { type: 'service', id: 'test', name: null, via: 'system' },
  context: emptyContext,
  correlationId: 'c-1',
};
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
  store.startPublishing({
    publish: messages => Promise.resolve(void published.push(...messages)),
    findPublished: () => Promise.resolve(new Set()),
    once: false,
  });
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

test('a key file that others can read is refused', () => {
  expect(() => localKeyFile(keyFile('open.json', 0o644))).toThrow('chmod 600');
});
