// Building over a real store: what happens when a builder fails, is stopped or taken over, and what a package says of
// records that were removed.
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { verifyConsistency } from '@reeve/audit-log';
import { newId, type TenantId } from '@reeve/contracts';
import { giveWay, growLog, openTestLog, type TestLog } from '../audit.test-support.ts';
import { createCheckpointer } from '../log/checkpointer.ts';
import { planExport } from '../log/export-lines.ts';
import { type EvidencePackage, openEvidence, pieceId, request } from './evidence-package.ts';
import { createPackageBuilder } from './package-builder.ts';
import { growthProof } from './package-files.ts';

const chain = 'reeve.auth.v1/0';
let opened: TestLog;
let parts: Omit<Parameters<typeof createPackageBuilder>[0], 'onError'>;
let checkpointer: ReturnType<typeof createCheckpointer>;
let tenantId: TenantId;
const errors: unknown[] = [];

beforeAll(async () => {
  opened = await openTestLog();
  const { store, log, keys } = opened;
  checkpointer = createCheckpointer({ ...log, intervalMs: 60_000, giveWay, onError: error => void errors.push(error) });
  parts = { ...log, ...openEvidence(store), giveWay, checkpointer, keys: { published: () => Promise.resolve(keys) } };
});
afterAll(() => opened.store.close());
beforeEach(() => {
  tenantId = newId('tenant');
  errors.length = 0;
});

const builder = (changes: Partial<typeof parts> = {}) =>
  createPackageBuilder({ ...parts, ...changes, onError: error => void errors.push(error) });

const grow = (from: number, count: number) => growLog(opened.log, { tenantId, chain, from, count });

async function ask(changes: Partial<EvidencePackage> = {}): Promise<string> {
  const id = newId('evidence');
  const period = { from: new Date(0).toISOString(), to: new Date(Date.now() + 60_000).toISOString() };
  const requestedBy = { type: 'user' as const, id: 'usr', name: null };
  const { state } = request(id, { name: 'test', period, requestedBy }, new Date());
  await parts.packages.in(tenantId).put(id, { ...state, ...changes });
  return id;
}

const stateOf = async (id: string) => (await parts.packages.in(tenantId).get(id))?.state;

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
  const broken = builder({ keys: { published: () => Promise.reject(new Error('no keys')) } });
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
  const first = await parts.pieces.in(tenantId).get(pieceId(made.build ?? '', 0));
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
  expect(proof && (await verifyConsistency(proof, opened.keys))).toEqual({ holds: true });
  const ever = { from: new Date(0).toISOString(), to: period.to };
  expect(await growthProof(parts, { tenantId, period: ever, checkpoint, ranges })).toBeNull();
});
