import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Inspected } from '@reeve/event-bus';
import { type Check, checksOfBus, checksOfStore, clock } from './checks.ts';

const store = { version: '8.0.4', members: 3, clockAheadMs: 3, missingIndexes: [], overdueOutboxes: [] };
const declared = {
  own: { summary: '', key: '', writers: [], partitions: 3, retentionMs: 1_000, compacted: false },
  kept: { summary: '', key: '', writers: [], partitions: 1, retentionMs: -1, compacted: true },
};
const own = {
  partitions: 3,
  replicas: 3,
  unhealthyPartitions: 0,
  retentionMs: 1_000,
  compacted: false,
};
const kept = { ...own, partitions: 1, retentionMs: -1, compacted: true };
const group = { group: 'g', messagesBehind: 0, deadLetters: 0 };
const bus: Inspected = {
  brokers: 3,
  topics: new Map([
    ['own', own],
    ['kept', kept],
  ]),
  groups: [group],
};

const notWell = (checks: readonly Check[]) => checks.filter(({ status }) => status !== 'ok');
const found = (checks: readonly Check[]) => notWell(checks).map(({ code, status }) => `${code} ${status}`);

describe('a store', () => {
  test('that is as it should has nothing to say', () => {
    expect(notWell(checksOfStore(store))).toEqual([]);
  });

  test.each([
    [{ version: '5.0.31' }, 'store_version failed'],
    [{ members: 0 }, 'store_replicas warning'],
    [{ members: 1 }, 'store_replicas warning'],
    [{ clockAheadMs: -1_500 }, 'store_clock warning'],
    [{ clockAheadMs: 60_000 }, 'store_clock failed'],
    [{ missingIndexes: ['users {"id":1}'] }, 'store_indexes failed'],
    [{ overdueOutboxes: ['facts'] }, 'store_outbox failed'],
  ])('%j', (change, expected) => {
    const checks = checksOfStore({ ...store, ...change });
    expect(found(checks)).toEqual([expected]);
    expect(notWell(checks).map(({ advice }) => advice)).toEqual([expect.stringMatching(/^[A-Z].*\.$/)]);
  });

  test('names some of many indexes', () => {
    const missingIndexes = Array.from({ length: 40 }, (_, index) => `users ${index}`);
    const [check] = notWell(checksOfStore({ ...store, missingIndexes }));
    expect(check?.detail).toBe('missing: users 0, users 1, users 2, users 3, users 4 and 35 more');
  });
});

describe('a cluster', () => {
  test('that is as it should has nothing to say', () => {
    expect(notWell(checksOfBus(bus, declared))).toEqual([]);
  });

  test('may keep things longer, and have more partitions', () => {
    const more = { ...own, partitions: 12, retentionMs: 5_000 };
    const forEver = { ...own, retentionMs: -1 };
    for (const state of [more, forEver])
      expect(notWell(checksOfBus({ ...bus, topics: new Map([...bus.topics, ['own', state]]) }, declared))).toEqual([]);
  });

  test.each([
    ['own', null, 'kafka_topics failed'],
    ['own', { ...own, partitions: 2 }, 'kafka_partitions warning'],
    ['own', { ...own, retentionMs: 999 }, 'kafka_retention failed'],
    ['own', { ...own, compacted: true }, 'kafka_retention failed'],
    ['kept', { ...kept, retentionMs: 86_400_000 }, 'kafka_retention failed'],
    ['kept', { ...kept, compacted: false }, 'kafka_retention failed'],
    ['own', { ...own, replicas: 1 }, 'kafka_replication warning'],
    ['own', { ...own, unhealthyPartitions: 1 }, 'kafka_partitions_healthy failed'],
  ])('%s as %j', (name, state, expected) => {
    const checks = checksOfBus({ ...bus, topics: new Map([...bus.topics, [name, state]]) }, declared);
    expect(found(checks)).toEqual([expected]);
    expect(notWell(checks)[0]?.detail).toContain(expected.startsWith('kafka_replication') ? '1 ' : name);
  });

  test('whose configuration is hidden from us is not judged by it', () => {
    const hidden = { ...own, retentionMs: null, compacted: null };
    expect(notWell(checksOfBus({ ...bus, topics: new Map([...bus.topics, ['own', hidden]]) }, declared))).toEqual([]);
  });

  test('with groups that are behind, or have dead letters', () => {
    const groups = [
      { ...group, group: 'a', messagesBehind: 50_000 },
      { ...group, group: 'b', deadLetters: 2 },
    ];
    expect(found(checksOfBus({ ...bus, brokers: 1, groups }, declared))).toEqual([
      'kafka_brokers warning',
      'kafka_lag warning',
      'kafka_dead_letters warning',
    ]);
  });
});

test('clocks differ by what the network takes', () => {
  expect([0, 900, -900, 1_500, -1_500, 5_500].map(ahead => clock('c', ahead, 'it').status)).toEqual([
    'ok',
    'ok',
    'ok',
    'warning',
    'warning',
    'failed',
  ]);
});

test('the document has a row for every code', () => {
  const document = readFileSync(join(import.meta.dirname, '../../../../docs/doctor.md'), 'utf8');
  for (const { code } of [...checksOfStore(store), ...checksOfBus(bus, declared)])
    expect(document).toContain(`| \`${code}\` |`);
});
