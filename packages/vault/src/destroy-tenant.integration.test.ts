// What is left of a tenant's secrets when it is deleted: in the store, in a copy of it from before, and under a
// key-encryption key that was taken away.
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Message, newId, platformTenantId, type TenantId } from '@reeve/contracts';
import { type Entry, openStore, type Store } from '@reeve/store';
import { eventually } from '@reeve/testing';
import { dataKeys, type StoredDataKey } from './data-key.ts';
import { destroySecretsOfDeletedTenants } from './destroy-secrets-of-deleted-tenants.ts';
import type { KeyManagement } from './key-management.ts';
import { localKeyFile } from './kinds/registry.ts';
import { createRewrapping } from './rewrap-data-keys.ts';
import { cause, publishTo, uri } from './vault.test-support.ts';
import { createVault, SecretMissingError, secrets, vaultCollections } from './vault.ts';

const about = { cause, purpose: 'test' } as const;
const directory = mkdtempSync(join(tmpdir(), 'reeve-destroy-'));
const [k1, k2] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
const keyFile = (name: string, content: { active: string; keys: Record<string, string> }) => {
  const path = join(directory, name);
  writeFileSync(path, JSON.stringify(content), { mode: 0o600 });
  return localKeyFile(path);
};
const first = keyFile('first.json', { active: 'k1', keys: { k1 } });
const both = keyFile('both.json', { active: 'k2', keys: { k1, k2 } });
const second = keyFile('second.json', { active: 'k2', keys: { k2 } });
const ref = { secretClass: 'test', id: 'one' };
const other = { secretClass: 'other', id: 'two' };

const published: Message[] = [];
const openOwn = () =>
  openStore({
    uri,
    database: `destroy_${randomUUID().slice(0, 8)}`,
    source: '/test',
    contents: { collections: vaultCollections },
  });
let store: Store;

beforeAll(async () => {
  store = openOwn();
  await store.prepare();
  publishTo(store, published);
});
afterAll(async () => {
  await store.close();
  rmSync(directory, { recursive: true });
});

const vaultOf = (keys: KeyManagement = first, at = store) => createVault({ store: at, keys });
async function newTenant(): Promise<TenantId> {
  const tenantId = newId('tenant');
  await vaultOf().put(tenantId, ref, 'theirs', cause);
  await vaultOf().put(tenantId, other, 'theirs too', cause);
  return tenantId;
}
const destroyedOf = (tenantId: TenantId) =>
  published.filter(({ event }) => event.tenantId === tenantId && event.type === 'secret.destroyed');
async function rowsOf<S>(rows: AsyncIterable<Entry<S>>): Promise<Entry<S>[]> {
  const found: Entry<S>[] = [];
  for await (const row of rows) found.push(row);
  return found;
}
/** Its rows, as a backup has them. */
const backUp = async (tenantId: TenantId) => ({
  keys: await rowsOf<StoredDataKey>(store.collection(dataKeys).in(tenantId).all('inOrder', {})),
  secrets: await rowsOf(store.collection(secrets).in(tenantId).all('inOrder', {})),
});
/** A store of its own, with a backup in it. */
async function restored(tenantId: TenantId, backup: Awaited<ReturnType<typeof backUp>>): Promise<Store> {
  const own = openOwn();
  for (const { id, state } of backup.keys) await own.collection(dataKeys).in(tenantId).put(id, state);
  for (const { id, state } of backup.secrets) await own.collection(secrets).in(tenantId).put(id, state);
  return own;
}

describe('a deleted tenant', () => {
  test('has no secret left, and no data key, and each data key has one event', async () => {
    const [gone, stays] = [await newTenant(), await newTenant()];
    const vault = vaultOf();
    await vault.read(gone, ref, about);
    await vault.destroyTenant(gone, cause);
    await vault.destroyTenant(gone, cause);
    for (const one of [vault, vaultOf()])
      for (const name of [ref, other])
        await expect(one.read(gone, name, about)).rejects.toBeInstanceOf(SecretMissingError);
    const left = JSON.stringify(await backUp(gone));
    expect(left).not.toContain('"wrapped"');
    expect(left).not.toMatch(/"sealed":"/);
    await eventually('it to be told', () => destroyedOf(gone).length > 1);
    const told = destroyedOf(gone).map(({ event }) => event.data);
    expect(told).toHaveLength(2);
    expect(told).toMatchObject([{ reason: { code: 'tenant_deleted' } }, { reason: { code: 'tenant_deleted' } }]);
    expect((await vaultOf().read(stays, ref, about)).toString()).toBe('theirs');
    expect(destroyedOf(stays)).toEqual([]);
  });

  test('is one by the word of provisioning alone', async () => {
    const tenantId = await newTenant();
    const deleted = destroySecretsOfDeletedTenants({ vault: vaultOf(), service: 'test' })['tenant.deleted'];
    type Event = Parameters<NonNullable<typeof deleted>>[0];
    const saidBy = async (source: string) => deleted?.({ id: 'e', source, tenantId, correlationId: 'c' } as Event);
    await expect(saidBy('/reeve/webhook-ingress')).rejects.toMatchObject({ code: 'source_invalid' });
    expect((await vaultOf().read(tenantId, ref, about)).toString()).not.toBe('');
    await saidBy('/reeve/provisioning');
    await expect(vaultOf().read(tenantId, ref, about)).rejects.toBeInstanceOf(SecretMissingError);
  });

  test('gets no secret any more, of a class that it had and of one that it had not', async () => {
    const gone = await newTenant();
    await vaultOf().destroyTenant(gone, cause);
    for (const secretClass of ['test', 'new'])
      await expect(vaultOf().put(gone, { secretClass, id: 'x' }, 'late', cause)).rejects.toMatchObject({
        code: 'not_found',
      });
    expect(JSON.stringify(await backUp(gone))).not.toMatch(/"sealed":"|"wrapped"/);
  });

  test('keeps nothing of what an instance stores that has the data key open still', async () => {
    const gone = await newTenant();
    const unaware = vaultOf();
    await unaware.put(gone, ref, 'before', cause);
    await vaultOf().destroyTenant(gone, cause);
    await expect(unaware.put(gone, { ...ref, id: 'late' }, 'late', cause)).rejects.toMatchObject({ code: 'not_found' });
    await expect(unaware.read(gone, { ...ref, id: 'late' }, about)).rejects.toBeInstanceOf(SecretMissingError);
    expect(JSON.stringify(await backUp(gone))).not.toMatch(/"sealed":"/);
  });

  test('keeps nothing of what is stored at that moment', async () => {
    const tenants = await Promise.all(Array.from({ length: 10 }, newTenant));
    const late = (secretClass: string) => ({ secretClass, id: 'late' });
    for (const gone of tenants) {
      const vault = vaultOf();
      await Promise.allSettled([
        vault.put(gone, late('test'), 'late', cause),
        vault.put(gone, late('new'), 'late', cause),
        vaultOf().destroyTenant(gone, cause),
        vault.put(gone, late('newer'), 'late', cause),
      ]);
      expect(JSON.stringify(await backUp(gone))).not.toMatch(/"sealed":"|"wrapped"/);
    }
  });

  test('opens from a backup for as long as the key is there that has wrapped its data keys', async () => {
    const gone = await newTenant();
    const backup = await backUp(gone);
    await vaultOf().destroyTenant(gone, cause);
    const own = await restored(gone, backup);
    expect((await vaultOf(first, own).read(gone, ref, about)).toString()).toBe('theirs');
    // What finishes it: all others are under another key, and that one is taken away.
    const stays = await newTenant();
    await createRewrapping({ store, keys: both }).rewrap({ everything: false, limit: 1_000, cause });
    await expect(vaultOf(second, own).read(gone, ref, about)).rejects.toMatchObject({ code: 'key_unusable' });
    expect((await vaultOf(second).read(stays, ref, about)).toString()).toBe('theirs');
    // A backup from after the rewrap has nothing of it.
    const later = await restored(gone, await backUp(gone));
    await expect(vaultOf(both, later).read(gone, ref, about)).rejects.toBeInstanceOf(SecretMissingError);
    await own.close();
    await later.close();
  });

  test('is never the platform, whose keys sign for all', async () => {
    await expect(vaultOf().destroyTenant(platformTenantId, cause)).rejects.toThrow('the platform is not deleted');
  });
});
