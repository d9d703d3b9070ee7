// Heads that an earlier version wrote, and sinks: state without what is there today.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { rootOf, rootOfLeaves } from '@reeve/audit-log';
import { newId } from '@reeve/contracts';
import { collection, openStore, type Store } from '@reeve/store';
import { engines } from '@reeve/testing';
import { growLog, openTestLog, type TestLog } from '../audit.test-support.ts';
import { sinks as sinksOf } from '../sinks/sink.ts';
import { frontierOf, loadHeads } from './head.ts';

const chain = 'reeve.auth.v1/0';
const oldHeads = collection<object>({ name: 'audit_heads' });
const oldSinks = collection<object>({ name: 'audit_sinks' });
let opened: TestLog;
let before: Store;

beforeAll(async () => {
  opened = await openTestLog();
  const contents = { collections: [oldHeads, oldSinks] };
  before = openStore({ uri: engines().mongodb, database: opened.database, source: '/test', contents });
});
afterAll(() => Promise.all([opened.store.close(), before.close()]));

test('a head of before there was a tree is followed, and its tree is made of all records', async () => {
  const tenantId = newId('tenant');
  const { log } = opened;
  await growLog(log, { tenantId, chain, from: 0, count: 5 });
  const head = (await log.heads.in(tenantId).get(chain))?.state;
  if (!head) throw new Error('there is no head');
  const { frontier: _, ...old } = head;
  await log.heads.in(tenantId).remove(chain);
  await before.collection(oldHeads).in(tenantId).put(chain, old);
  expect((await log.heads.in(tenantId).get(chain))?.state).toMatchObject({ sequence: 5, frontier: null });
  await growLog(log, { tenantId, chain, from: 5, count: 3 });
  const hashes: Buffer[] = [];
  for await (const { state } of log.records.in(tenantId).all('byChain', { chain }))
    hashes.push(Buffer.from(state.hash, 'hex'));
  expect(hashes).toHaveLength(8);
  const now = (await loadHeads(log, chain, [tenantId])).get(tenantId) ?? null;
  expect(rootOf(frontierOf(now))).toEqual(rootOfLeaves(hashes));
});

test('a sink that named no types takes the whole log', async () => {
  const tenantId = newId('tenant');
  const old = { name: 'siem', target: { kind: 'https', url: 'https://siem.example' }, createdAt: '2026-11-22' };
  await before.collection(oldSinks).in(tenantId).put('snk_1', old);
  await before
    .collection(oldSinks)
    .in(tenantId)
    .put('snk_2', { ...old, name: 'alerts', types: ['alert.raised'] });
  const own = opened.store.collection(sinksOf).in(tenantId);
  expect((await own.get('snk_1'))?.state).toMatchObject({ types: null, slot: null });
  expect((await own.get('snk_2'))?.state.types).toEqual(['alert.raised']);
});
