// Building over a real store: what happens when a builder fails, is stopped or taken over, and what a package says of records that were removed.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type KeySet, verifyConsistency } from '@reeve/audit-log';
import { newId, type TenantId } from '@reeve/contracts';
import { openStore, type Store } from '@reeve/store';
import { exportJWK, generateKeyPair } from 'jose';
import { defineHeads, defineRecords } from '../chains/chain-store.ts';
import { createChainWriter } from '../chains/chain-writer.ts';
import { sampleArrival } from '../chains/sample-arrival.ts';
import { defineTombstones } from '../chains/tombstones.ts';
import type { SigningKey } from '../checkpoints/checkpoint-keys.ts';
import { defineCheckpoints } from '../checkpoints/checkpoint-store.ts';
import { createCheckpointer } from '../checkpoints/checkpointer.ts';
import { defineTiles } from '../checkpoints/record-tree.ts';
import { planExport } from '../exports/log-export.ts';
import { defineEvidence, type EvidencePackage, pieceId, request } from './evidence-package.ts';
import { createPackageBuilder } from './package-builder.ts';
import { growthProof } from './package-files.ts';

const uri = process.env['REEVE_TEST_MONGODB'];
if (uri === undefined) throw new Error('there is no store: use `npm test`, which starts one');

const chain = 'reeve.auth.v1/0';
let store: Store;
let parts: Omit<Parameters<typeof createPackageBuilder>[0], 'onError'>;
let heads: ReturnType<typeof defineHeads>;
let checkpointer: ReturnType<typeof createCheckpointer>;
let keys: KeySet;
let tenantId: TenantId;
const errors: unknown[] = [];

beforeAll(async () => {
  store = openStore({ uri, database: `evidence_${randomUUID().slice(0, 8)}`, source: '/test' });
  const key: SigningKey = {
    ...(await exportJWK((await generateKeyPair('Ed25519', { extractable: true })).privateKey)),
    kid: 'k',
  };
  const { d: _, ...publicPart } = key;
  keys = { keys: [publicPart] };
  heads = defineHeads(store);
  const reading = {
    records: defineRecords(store),
    tombstones: defineTombstones(store),
    checkpoints: defineCheckpoints(store),
    tiles: defineTiles(store),
    evidence: defineEvidence(store),
    signingKey: () => key,
    clock: store.clock,
  };
  checkpointer = createCheckpointer({
    ...reading,
    heads,
    intervalMs: 60_000,
    onError: error => void errors.push(error),
  });
  parts = { ...reading, checkpointer, publicKeys: () => Promise.resolve(keys) };
  await store.prepare();
});
afterAll(() => store.close());
beforeEach(() => {
  tenantId = newId('tenant');
  errors.length = 0;
});

const builder = (changes: Partial<typeof parts> = {}) =>
  createPackageBuilder({ ...parts, ...changes, onError: error => void errors.push(error) });

async function grow(from: number, count: number) {
  const writer = createChainWriter({ records: parts.records, heads, clock: store.clock });
  for (let at = 0; at < count; at += 500)
    await writer.append(
      tenantId,
      chain,
      Array.from({ length: Math.min(500, count - at) }, (_, n) =>
        sampleArrival({ tenantId, chain, offset: from + at + n }),
      ),
    );
}

async function ask(changes: Partial<EvidencePackage> = {}): Promise<string> {
  const id = newId('evidence');
  const period = { from: new Date(0).toISOString(), to: new Date(Date.now() + 60_000).toISOString() };
  const requestedBy = { type: 'user', id: 'usr', name: null };
  const state = { ...request({ name: 'test', period, requestedBy }, new Date()), ...changes };
  await parts.evidence.packages.in(tenantId).put(id, state);
  return id;
}

const stateOf = async (id: string) => (await parts.evidence.packages.in(tenantId).get(id))?.state;

async function until(id: string, holds: (state: EvidencePackage) => boolean, withinMs = 20_000) {
  for (const giveUpAt = Date.now() + withinMs; Date.now() < giveUpAt; ) {
    const state = await stateOf(id);
    if (state && holds(state)) return state;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error(`it stays ${JSON.stringify(await stateOf(id))}`);
}

test('a package that cannot be built fails after three attempts, and says so', async () => {
  await grow(0, 3);
  const id = await ask();
  const broken = builder({ publicKeys: () => Promise.reject(new Error('no keys')) });
  broken.start();
  expect(await until(id, ({ status }) => status === 'failed')).toMatchObject({ attempts: 3, lease: null });
  await broken.stop();
  expect(errors).toHaveLength(3);
  // A record that is missing ends the build as well, and hangs nothing.
  const lost = await ask();
  const record = await parts.records.in(tenantId).getByUnique('place', `${chain}#2`);
  await checkpointer.sign(tenantId);
  await parts.records.in(tenantId).remove(record?.id ?? '');
  const one = builder();
  one.start();
  await until(lost, ({ status }) => status === 'failed');
  await one.stop();
}, 30_000);

test('a builder that is gone is followed by another, which begins anew', async () => {
  await grow(0, 1_200);
  const gone = { holder: 'gone', until: new Date(Date.now() + 1_500).toISOString() };
  const id = await ask({ status: 'building', build: 'old', attempts: 1, lease: gone });
  const next = builder();
  next.start();
  await new Promise(resolve => setTimeout(resolve, 700));
  expect(await stateOf(id)).toMatchObject({ build: 'old' });
  const made = await until(id, ({ status }) => status === 'ready');
  await next.stop();
  expect(made).toMatchObject({ attempts: 2, progress: { done: 1_200, of: 1_200 } });
  const first = await parts.evidence.pieces.in(tenantId).get(pieceId(made.build ?? '', 0));
  expect(
    Buffer.from(first?.state.content ?? '', 'base64')
      .subarray(0, 2)
      .toString(),
  ).toBe('PK');
  expect(errors).toEqual([]);
}, 30_000);

test('the log at the end of a period is proven to add only to what it was before', async () => {
  await grow(0, 300);
  await checkpointer.sign(tenantId);
  await new Promise(resolve => setTimeout(resolve, 10));
  const from = new Date().toISOString();
  await grow(300, 50);
  const checkpoint = await checkpointer.sign(tenantId);
  if (!checkpoint) throw new Error('there is no checkpoint');
  const period = { from, to: new Date().toISOString() };
  const ranges = await planExport(parts, { tenantId, checkpoint, period });
  expect(ranges).toMatchObject([{ first: 301, last: 350 }]);
  const proof = await growthProof(parts, { tenantId, period, checkpoint, ranges });
  expect(proof && (await verifyConsistency(proof, keys))).toEqual({ holds: true });
  const ever = { from: new Date(0).toISOString(), to: period.to };
  expect(await growthProof(parts, { tenantId, period: ever, checkpoint, ranges })).toBeNull();
});
