// Checkpoints and the proofs that follow from them, over a real store.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import {
  consistencyPath,
  inclusionPath,
  type KeySet,
  readStatement,
  rootOfLeaves,
  verifyConsistency,
  verifyInclusion,
} from '@reeve/audit-log';
import { type Message, newId, type TenantId } from '@reeve/contracts';
import { openStore, type Store } from '@reeve/store';
import { exportJWK, generateKeyPair } from 'jose';
import { defineHeads, defineRecords } from '../chains/chain-store.ts';
import { createChainWriter } from '../chains/chain-writer.ts';
import { sampleArrival } from '../chains/sample-arrival.ts';
import { defineTombstones } from '../chains/tombstones.ts';
import type { SigningKey } from './checkpoint-keys.ts';
import { defineCheckpoints } from './checkpoint-store.ts';
import { createCheckpointer } from './checkpointer.ts';
import { defineTiles, subtreesOf } from './record-tree.ts';

const uri = process.env['REEVE_TEST_MONGODB'];
if (uri === undefined) throw new Error('there is no store: use `npm test`, which starts one');

let store: Store;
let parts: Pick<Parameters<typeof createCheckpointer>[0], 'records' | 'heads' | 'checkpoints'> & {
  tiles: ReturnType<typeof defineTiles>;
  tombstones: ReturnType<typeof defineTombstones>;
};
let key: SigningKey;
let keys: KeySet;
let tenantId: TenantId;
const published: Message[] = [];

beforeAll(async () => {
  store = openStore({ uri, database: `checkpoints_${randomUUID().slice(0, 8)}`, source: '/test' });
  parts = {
    records: defineRecords(store),
    tombstones: defineTombstones(store),
    heads: defineHeads(store),
    checkpoints: defineCheckpoints(store),
    tiles: defineTiles(store),
  };
  await store.prepare();
  store.relay.start(async messages => void published.push(...messages));
  key = { ...(await exportJWK((await generateKeyPair('Ed25519', { extractable: true })).privateKey)), kid: 'k' };
  const { d: _, ...publicPart } = key;
  keys = { keys: [publicPart] };
});
afterAll(() => store.close());
beforeEach(() => {
  tenantId = newId('tenant');
});

const checkpointer = (intervalMs = 60_000) =>
  createCheckpointer({
    ...parts,
    signingKey: () => key,
    clock: store.clock,
    intervalMs,
    onError: error => {
      throw error;
    },
  });

async function grow(chain: string, from: number, count: number, onAppended?: (tenantId: TenantId) => void) {
  const writer = createChainWriter({ ...parts, clock: store.clock, ...(onAppended ? { onAppended } : {}) });
  const arrivals = Array.from({ length: count }, (_, index) =>
    sampleArrival({ tenantId, chain, offset: from + index }),
  );
  for (let at = 0; at < count; at += 500) await writer.append(tenantId, chain, arrivals.slice(at, at + 500));
}

const hex = (path: Buffer[]) => path.map(hash => hash.toString('hex'));

async function proofOf(chain: string, sequence: number) {
  const checkpoint = await checkpointer().covering(tenantId, { chain, sequence });
  const size = checkpoint.content.chains.find(one => one.chain === chain)?.size ?? 0;
  const found = await parts.records.in(tenantId).getByUnique('place', `${chain}#${sequence}`);
  const path = await inclusionPath(sequence - 1, size, subtreesOf(parts, { tenantId, chain, size }));
  return {
    record: found?.state.canonical ?? '',
    hash: found?.state.hash ?? '',
    checkpoint: checkpoint.jws,
    path: hex(path),
  };
}

test('a checkpoint says where every chain stands, is signed, and is on the topic', async () => {
  await grow('b/0', 0, 3);
  await grow('a/0', 0, 2);
  const first = await checkpointer().sign(tenantId);
  expect(first?.content).toMatchObject({
    tenantId,
    number: 1,
    chains: [
      { chain: 'a/0', size: 2 },
      { chain: 'b/0', size: 3 },
    ],
  });
  expect(await readStatement(first?.jws ?? '', keys)).toMatchObject({ keyId: 'k' });
  expect(await checkpointer().sign(tenantId)).toEqual(first);
  await grow('a/0', 2, 1);
  const second = await checkpointer().sign(tenantId);
  expect(second?.content).toMatchObject({ number: 2, chains: [{ size: 3 }, { size: 3 }] });
  expect(second?.content.previous).not.toBe(first?.content.previous);
  await store.relay.sweep();
  const mine = published.filter(({ key: of }) => of === tenantId);
  expect(mine.map(({ topic, event }) => [topic, event.type, event.subject])).toEqual([
    ['reeve.audit.v1', 'checkpoint.signed', 'checkpoint/1'],
    ['reeve.audit.v1', 'checkpoint.signed', 'checkpoint/2'],
  ]);
});

test('a log without records has no checkpoint', async () => {
  expect(await checkpointer().sign(tenantId)).toBe(null);
});

test('instances that sign at the same time agree on one line of checkpoints', async () => {
  await grow('a/0', 0, 2);
  const signed = await Promise.all(Array.from({ length: 6 }, () => checkpointer().sign(tenantId)));
  expect(new Set(signed.map(one => one?.jws)).size).toBe(1);
  await Promise.all([grow('a/0', 2, 40), ...Array.from({ length: 4 }, () => checkpointer().sign(tenantId))]);
  await checkpointer().sign(tenantId);
  const found: { number: number; size: number }[] = [];
  for await (const { state } of parts.checkpoints.in(tenantId).all('newest', {})) {
    const { kind, content } = await readStatement(state.jws, keys);
    if (kind === 'reeve-checkpoint') found.unshift({ number: content.number, size: content.chains[0]?.size ?? 0 });
  }
  expect(found.map(({ number }) => number)).toEqual(found.map((_, index) => index + 1));
  expect(found.map(({ size }) => size)).toEqual(found.map(({ size }) => size).toSorted((one, other) => one - other));
  expect(found.at(-1)?.size).toBe(42);
});

test('what grew is signed by itself, also what grew before the process started', async () => {
  await grow('a/0', 0, 2);
  const own = checkpointer(50);
  await own.start();
  const sizeWhen = async (size: number) => {
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const { items } = await parts.checkpoints.in(tenantId).list('newest', {}, { limit: 1 });
      const jws = items[0]?.state.jws;
      const content = jws === undefined ? null : (await readStatement(jws, keys)).content;
      if (content && 'root' in content && content.chains[0]?.size === size) return size;
      await new Promise(resolve => setTimeout(resolve, 50));
    }
    return null;
  };
  expect(await sizeWhen(2)).toBe(2);
  await grow('a/0', 2, 3, own.grew);
  expect(await sizeWhen(5)).toBe(5);
  await own.stop();
});

test('a record of a long chain is proven through tiles, and so is that the chain only grew', async () => {
  const chain = 'long/0';
  await grow(chain, 0, 700);
  const older = await checkpointer().sign(tenantId);
  await grow(chain, 700, 900);
  const newer = await checkpointer().sign(tenantId);
  for (const sequence of [1, 2, 255, 256, 257, 700, 701, 1_024, 1_025, 1_599, 1_600]) {
    const proof = await proofOf(chain, sequence);
    expect(await verifyInclusion(proof, keys)).toEqual({ holds: true });
    const altered = { ...proof, record: proof.record.replace('"success"', '"failure"') };
    expect(await verifyInclusion(altered, keys)).toMatchObject({ holds: false });
    const misplaced = { ...proof, path: [...proof.path].reverse() };
    expect(await verifyInclusion(misplaced, keys)).toMatchObject({ holds: false });
  }
  const path = await consistencyPath(700, 1_600, subtreesOf(parts, { tenantId, chain, size: 1_600 }));
  const consistency = { from: older?.jws ?? '', to: newer?.jws ?? '', chains: [{ chain, path: hex(path) }] };
  expect(await verifyConsistency(consistency, keys)).toEqual({ holds: true });
  expect(
    await verifyConsistency({ ...consistency, chains: [{ chain, path: hex(path).slice(1) }] }, keys),
  ).toMatchObject({ holds: false });
  expect(await verifyConsistency({ ...consistency, chains: [] }, keys)).toMatchObject({ holds: false });
});

test('a tile is the same whether it was kept or is computed', async () => {
  const chain = 'tiles/0';
  await grow(chain, 0, 600);
  const hashes: Buffer[] = [];
  for await (const { state } of parts.records.in(tenantId).all('byChain', { chain }))
    hashes.push(Buffer.from(state.hash, 'hex'));
  const subtree = subtreesOf(parts, { tenantId, chain, size: 600 });
  for (const round of ['computed', 'kept'])
    for (const [level, index] of [
      [0, 599],
      [3, 5],
      [8, 0],
      [8, 1],
      [9, 0],
      [4, 33],
    ] as const) {
      const leaves = hashes.slice(index * 2 ** level, (index + 1) * 2 ** level);
      expect([round, level, index, await subtree(level, index)]).toEqual([round, level, index, rootOfLeaves(leaves)]);
    }
});

test('a log that has fewer records than were signed for is not signed', async () => {
  await grow('reeve.auth.v1/0', 0, 5);
  await grow('reeve.secret.v1/0', 0, 3);
  await checkpointer().sign(tenantId);
  await parts.heads.in(tenantId).remove('reeve.secret.v1/0');
  await expect(checkpointer().sign(tenantId)).rejects.toThrow('has 0 records, and a checkpoint was signed for 3');
});
