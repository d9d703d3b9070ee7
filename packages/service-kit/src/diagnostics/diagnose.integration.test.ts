// What a service says of what it stands on, over real engines, and over some that hang.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { topics } from '@reeve/contracts';
import { createEventBus } from '@reeve/event-bus';
import { collection, openStore, type Store } from '@reeve/store';
import { engines } from '@reeve/testing';
import { baseConfig } from '../config.ts';
import type { Check } from './checks.ts';
import { diagnose } from './diagnose.ts';

const { kafka, mongodb } = engines();
const database = `diagnose_${randomUUID().slice(0, 8)}`;
const things = collection<{ name: string }>({ name: 'things', unique: { name: ({ name }) => name } });
const bus = createEventBus({ brokers: kafka.split(','), clientId: 'diagnose' });
let store: Store;
let shown: object = { keys: [{}] };
const issuer = createServer((_, response) => void response.end(JSON.stringify(shown)));
let config: ReturnType<typeof baseConfig.parse>;

beforeAll(async () => {
  store = openStore({ uri: mongodb, database, source: '/test', contents: { collections: [things] } });
  await store.prepare();
  await bus.ensureTopics(topics);
  await new Promise<void>(resolve => issuer.listen(0, '127.0.0.1', resolve));
  config = baseConfig.parse({
    NODE_ENV: 'test',
    PORT: '0',
    REEVE_SELF_URL: 'http://localhost:1',
    REEVE_ISSUER: `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`,
    KAFKA_BROKERS: kafka,
    MONGODB_URI: mongodb,
    MONGODB_DATABASE: database,
  });
});

afterAll(async () => {
  issuer.close();
  await bus.stop();
  await store.close();
});

const failedOf = (checks: readonly Check[]) =>
  checks.flatMap(({ code, status }) => (status === 'failed' ? [code] : []));

test('nothing has failed where nothing has, and every check is told', async () => {
  const checks = await diagnose({ config, store, bus });
  expect(failedOf(checks)).toEqual([]);
  expect(checks.map(({ code }) => code)).toEqual(
    expect.arrayContaining(['store_reachable', 'store_indexes', 'kafka_reachable', 'kafka_lag', 'issuer_reachable']),
  );
});

test('an issuer that shows no keys', async () => {
  shown = { keys: [] };
  expect(failedOf(await diagnose({ config, store, bus }))).toEqual(['issuer_reachable']);
  shown = { keys: [{}] };
});

test('keys that cannot be used, of a service that has some', async () => {
  const checksWith = async (needs?: () => Promise<void>) => diagnose({ config, store, bus, needs });
  const codes = (checks: readonly Check[]) => checks.map(({ code }) => code);
  expect(codes(await checksWith())).not.toContain('keys_usable');
  const well = await checksWith(async () => undefined);
  expect([failedOf(well), codes(well)]).toEqual([[], expect.arrayContaining(['keys_usable'])]);
  const wrong = await checksWith(() => Promise.reject(new Error('the key is disabled')));
  expect(failedOf(wrong)).toEqual(['keys_usable']);
  expect(JSON.stringify(wrong)).toContain('the key is disabled');
});

test('engines that hang or are not there fail by themselves, and the rest is told', async () => {
  const silent = createTcpServer();
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve));
  const away = openStore({
    uri: `mongodb://127.0.0.1:${(silent.address() as AddressInfo).port}/`,
    database,
    source: '/test',
    contents: {},
  });
  const hangs = { inspect: () => new Promise<never>(() => undefined) };
  const checks = await diagnose({ config, store: away, bus: hangs });
  expect(failedOf(checks)).toEqual(['store_reachable', 'kafka_reachable']);
  expect(checks.map(({ code }) => code)).toContain('issuer_reachable');
  await away.close();
  silent.close();
}, 30_000);
