// One key of the log follows another: over a real store, with two instances, and a clock that is moved.
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { genesisHash, readStatement, rootOfLeaves, signStatement } from '@reeve/audit-log';
import { newEventId, newId, platformTenantId, serviceCause } from '@reeve/contracts';
import { openStore, type Store } from '@reeve/store';
import { engines, eventually } from '@reeve/testing';
import { createVault, localKeyFile, vaultCollections } from '@reeve/vault';
import { createSigningKeys, signingKeyCollections } from './signing-key.ts';

const keyFile = join(mkdtempSync(join(tmpdir(), 'reeve-audit-keys-')), 'keys.json');
writeFileSync(keyFile, JSON.stringify({ active: '1', keys: { 1: randomBytes(32).toString('base64') } }), {
  mode: 0o600,
});

const cause = serviceCause('audit', { correlationId: 'c' });
const requested = { because: 'requested', leadMs: 60_000 } as const;
const stores: Store[] = [];
let database: string;
let now: Date;

function instance() {
  const { mongodb: uri } = engines();
  const contents = { collections: [...signingKeyCollections, ...vaultCollections] };
  const clock = { now: () => now, newEventId };
  const store = openStore({ uri, database, source: '/test', contents, clock });
  stores.push(store);
  const vault = createVault({ store, keys: localKeyFile(keyFile) });
  return { store, vault, keys: createSigningKeys({ store, vault }) };
}
const loaded = async () => {
  const made = instance();
  await made.keys.load();
  return made;
};
const later = (ms: number) => {
  now = new Date(now.getTime() + ms);
};
const stageOf = ({ keys }: ReturnType<typeof instance>) =>
  Object.fromEntries(keys.list().map(({ keyId, stage }) => [keyId, stage]));

beforeEach(async () => {
  database = `audit_keys_${randomUUID().slice(0, 8)}`;
  now = new Date();
  await instance().store.prepare();
});
afterAll(() => Promise.all(stores.map(store => store.close())));

describe('a key that follows', () => {
  test('is shown at once, signs when its time has come at every instance, and what was signed before verifies', async () => {
    const [one, other] = [await loaded(), await loaded()];
    const first = one.keys.current().kid;
    expect(other.keys.current().kid).toBe(first);
    const checkpoint = (number: number, keys: typeof one.keys) =>
      signStatement(keys.current(), 'reeve-checkpoint', {
        tenantId: newId('tenant'),
        number,
        time: now.toISOString(),
        previous: number === 1 ? genesisHash : 'a'.repeat(64),
        root: rootOfLeaves([]).toString('hex'),
        chains: [],
      });
    const before = await checkpoint(1, one.keys);

    await one.keys.rotate(cause, requested);
    const watching = other.keys.watch(() => undefined);
    await eventually('the other instance shows both', () => other.keys.list().length === 2);
    await watching.stop();
    expect([one.keys.current().kid, other.keys.current().kid]).toEqual([first, first]);
    later(59_000);
    expect(other.keys.current().kid).toBe(first);
    later(1_000);
    const second = one.keys.current().kid;
    expect(second).not.toBe(first);
    expect(other.keys.current().kid).toBe(second);
    expect(stageOf(other)).toEqual({ [first]: 'verifying', [second]: 'signing' });
    const after = await checkpoint(2, other.keys);

    const set = await one.keys.published();
    expect([await readStatement(before, set), await readStatement(after, set)]).toMatchObject([
      { keyId: first },
      { keyId: second },
    ]);
    expect([one.keys.trusted(first)?.kid, one.keys.trusted(second)?.kid]).toEqual([first, second]);
    expect((await loaded()).keys.current().kid).toBe(second);
  });

  test('is one: a second one waits until it signs, and of two at once one is refused', async () => {
    const [one, other] = [await loaded(), await loaded()];
    const both = await Promise.allSettled([one.keys.rotate(cause, requested), other.keys.rotate(cause, requested)]);
    expect(both.filter(({ status }) => status === 'rejected')).toMatchObject([
      { reason: { code: 'signing_key_waiting' } },
    ]);
    expect((await one.keys.published()).keys).toHaveLength(2);
    later(60_000);
    await one.keys.rotate(cause, requested);
    expect((await one.keys.published()).keys).toHaveLength(3);
  });

  test('signs at once where the one before is compromised, which then counts for nothing of our own', async () => {
    const one = await loaded();
    const first = one.keys.current().kid;
    await one.keys.rotate(cause, requested);
    const waiting = one.keys.list().find(({ stage }) => stage === 'next')?.keyId ?? '';
    await one.keys.rotate(cause, { because: 'compromised', leadMs: 0 });
    const now3 = one.keys.current().kid;
    expect([first, waiting]).not.toContain(now3);
    expect([one.keys.trusted(first), one.keys.trusted(waiting)]).toEqual([null, null]);
    expect(one.keys.trusted(now3)?.kid).toBe(now3);
    const marked = (await one.keys.published()).keys.filter(key => 'reeve_compromised_at' in key);
    expect(new Set(marked.map(({ kid }) => kid))).toEqual(new Set([first, waiting]));
    expect((await loaded()).keys.trusted(first)).toBeNull();
  });

  test('leaves nothing of the private part of the one before', async () => {
    const one = await loaded();
    const first = one.keys.current().kid;
    await one.keys.rotate(cause, requested);
    const second = one.keys.list().find(({ stage }) => stage === 'next')?.keyId ?? '';
    const ref = { secretClass: 'audit-signing-key', id: first };
    const access = { cause, purpose: 'start' } as const;
    later(60_000);
    const round = async () => {
      const watching = one.keys.watch(() => undefined);
      await new Promise(resolve => setTimeout(resolve, 2_500));
      await watching.stop();
    };
    // It is there while an instance may be late.
    await round();
    await one.vault.read(platformTenantId, ref, access);
    later(3_600_000);
    await round();
    await expect(one.vault.read(platformTenantId, ref, access)).rejects.toThrow('there is no secret');
    expect([one.keys.current().kid, (await loaded()).keys.current().kid]).toEqual([second, second]);
    expect((await one.keys.published()).keys).toHaveLength(2);
    later(60_000);
    await one.keys.rotate(cause, requested);
  }, 30_000);

  test('is the one that signs for an instance that starts after one that died as it tidied up', async () => {
    const one = await loaded();
    const first = one.keys.current().kid;
    await one.keys.rotate(cause, requested);
    later(60_000);
    await one.vault.destroy(platformTenantId, { secretClass: 'audit-signing-key', id: first }, cause);
    expect((await loaded()).keys.current().kid).toBe(one.keys.current().kid);
  });
});
