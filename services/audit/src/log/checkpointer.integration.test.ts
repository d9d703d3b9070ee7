// Checkpoints and the proofs that follow from them, over a real store.
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
import { newId, type TenantId } from '@reeve/contracts';
import { eventually } from '@reeve/testing';
import { giveWay, growLog, openTestLog, type TestLog } from '../audit.test-support.ts';
import { lastCheckpoint } from './checkpoint.ts';
import { createCheckpointer } from './checkpointer.ts';
import type { Log } from './log.ts';
import { subtreesOf } from './record-tree.ts';

let opened: TestLog;
let parts: Log;
let keys: KeySet;
let tenantId: TenantId;

beforeAll(async () => {
  opened = await openTestLog();
  ({ log: parts, keys } = opened);
});
afterAll(() => opened.store.close());
beforeEach(() => {
  tenantId = newId('tenant');
});

const checkpointer = (intervalMs = 60_000) =>
  createCheckpointer({
    ...parts,
    intervalMs,
    giveWay,
    onError: error => {
      throw error;
    },
  });

const grow = (chain: string, from: number, count: number, onAppended: (tenantId: TenantId) => void = () => undefined) =>
  growLog(parts, { tenantId, chain, from, count, onAppended });

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
  const mine = await eventually('both are published', () => {
    const found = opened.published.filter(({ key: of }) => of === tenantId);
    return found.length === 2 && found;
  });
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
  const signed = (size: number) =>
    eventually(`${size} records are signed`, async () => {
      const last = await lastCheckpoint(parts.checkpoints, tenantId);
      return last?.content.chains[0]?.size === size;
    });
  await signed(2);
  await grow('a/0', 2, 3, own.grew);
  await signed(5);
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
