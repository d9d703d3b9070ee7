// Sinks against receivers of their protocols: everything arrives, in the order of each chain, and nothing is lost or
// left out whatever the receiver does.
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createVerifier, type FormatName, formats, type KeySet, verifyLines } from '@reeve/audit-log';
import { type Message, newId, type TenantId } from '@reeve/contracts';
import type { Route } from '@reeve/service-kit';
import { createGuardedNetwork } from '@reeve/service-kit/outbound';
import type { Store } from '@reeve/store';
import { eventually, listen, vaultKeyFile } from '@reeve/testing';
import { createVault, localKeyFile } from '@reeve/vault';
import { generate } from 'selfsigned';
import { callRoute, giveWay, growLog, openTestLog, sampleArrival, type TestLog } from '../audit.test-support.ts';
import { createChainWriter } from '../log/chain-writer.ts';
import { createCheckpointer } from '../log/checkpointer.ts';
import { createSink } from './create-sink.ts';
import { deleteSink } from './delete-sink.ts';
import { createIsolatedProcesses } from './isolation/isolated-processes.ts';
import { target as kafkaTarget } from './kinds/registry.ts';
import { readSink } from './read-sink.ts';
import {
  type Receiver,
  startElasticsearchReceiver,
  startObjectStore,
  startSplunkReceiver,
  startSyslogReceiver,
  startWebhookReceiver,
} from './receivers.test-support.ts';
import { replaySink } from './replay-sink.ts';
import { runs } from './run.ts';
import { sinks } from './sink.ts';
import type { SinkParts } from './sink-parts.ts';
import { createSinkRunner } from './sink-runner.ts';
import { pauseSink, resumeSink } from './switch-sink.ts';
import { testSink } from './test-sink.ts';
import { updateSink } from './update-sink.ts';

type View = {
  id: string;
  health: string;
  status: string;
  delivered: number;
  refused: number;
  behind: number;
  credential?: string | null;
  lastError: { code: string } | null;
};
type Tested = { delivered: boolean; code: string | null };
type Parts = SinkParts;

let opened: TestLog;
let store: Store;
let parts: Omit<Parts, 'network'>;
let keys: KeySet;
let tls: { key: string; cert: string };
let tenantId: TenantId;
let offset = 0;
let published: Message[];
const running: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  opened = await openTestLog();
  ({ store, keys, published } = opened);
  const keyFile = vaultKeyFile();
  parts = {
    ...opened.log,
    checkpointer: createCheckpointer({ ...opened.log, intervalMs: 60_000, giveWay, onError: () => undefined }),
    sinks: store.collection(sinks),
    runs: store.collection(runs),
    vault: createVault({ store, keys: localKeyFile(keyFile.path) }),
    processes: createIsolatedProcesses({ onError: () => undefined }),
  };
  keyFile.remove();
  const made = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
    ],
  });
  tls = { key: made.private, cert: made.cert };
});
afterAll(() => store.close());
beforeEach(() => {
  tenantId = newId('tenant');
  offset = 0;
});
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});

async function grow(count: number, chains = ['reeve.auth.v1/0', 'reeve.secret.v1/1']) {
  for (const chain of chains) await growLog(parts, { tenantId, chain, from: offset, count });
  offset += count;
}

const sign = () => parts.checkpointer.sign(tenantId);

const networkTo = (...origins: string[]) => createGuardedNetwork({ allowedPrivateOrigins: origins, timeoutMs: 700 });

/** A runner of its own, as another instance has one. */
function run(receiver: Receiver) {
  const network = networkTo(receiver.url);
  const runner = createSinkRunner({ ...parts, network, onError: error => void receiver.problems.push(String(error)) });
  runner.start();
  running.push(runner);
  return runner;
}

const call = <T>(
  route: (of: Parts) => Route,
  network: Parts['network'],
  { sinkId = '', body, ...precondition }: { sinkId?: string; body?: unknown; expectedVersion?: number } = {},
): Promise<T> => callRoute<T>(route({ ...parts, network }), { tenantId, params: { sinkId }, body, ...precondition });

const open = (receiver: Receiver, body: object) =>
  call<View>(createSink, networkTo(receiver.url), { body: { name: 'siem', start: 'beginning', ...body } });

/** What arrived, verified as a topic is: a repetition is allowed, a gap is not. */
async function verified(lines: readonly string[], format: FormatName) {
  const verifier = createVerifier({ format: formats[format], keys, of: 'stream' });
  for (const line of lines) await verifier.add(line);
  return verifier.end();
}

const stateOf = (receiver: Receiver, sinkId: string) => call<View>(readSink, networkTo(receiver.url), { sinkId });

type Case = {
  format: FormatName;
  start: (wrong?: (attempt: number) => { status: number } | 'hang' | 'reset' | null) => Promise<Receiver>;
  body: (receiver: Receiver) => { target: object; credential?: string };
};
const secret = `whsec_${randomBytes(32).toString('base64')}`;

const http: Record<string, Case> = {
  https: {
    format: 'ocsf',
    start: wrong => startWebhookReceiver(secret, wrong),
    body: ({ url }) => ({ target: { kind: 'https', url: `${url}/siem`, format: 'ocsf' }, credential: secret }),
  },
  splunk_hec: {
    format: 'hec',
    start: wrong => startSplunkReceiver({ token: 'tok-1' }, wrong),
    body: ({ url }) => ({ target: { kind: 'splunk_hec', url, acknowledge: true }, credential: 'tok-1' }),
  },
  elasticsearch: {
    format: 'ecs',
    start: wrong => startElasticsearchReceiver('key-1', undefined, wrong),
    body: ({ url }) => ({
      target: { kind: 'elasticsearch', url, dataStream: 'logs-reeve.audit-default' },
      credential: 'key-1',
    }),
  },
};

describe('a sink of kind s3', () => {
  const access = {
    accessKeyId: 'AKIAEXAMPLE',
    secretAccessKey: 'their/secret+key',
    region: 'eu-central-1',
    bucket: 'audit-logs',
  };
  const credential = `${access.accessKeyId}:${access.secretAccessKey}`;
  const hour = 3_600_000;
  /** What was chained in the first hour after `hoursAgo`. */
  async function growAgo(hoursAgo: number, count: number) {
    const begin = Math.floor(Date.now() / hour - hoursAgo) * hour;
    const clock = { ...store.clock, now: () => new Date(begin + 60_000) };
    const writer = createChainWriter({ ...parts, clock });
    for (const chain of ['reeve.auth.v1/0', 'reeve.secret.v1/1']) {
      const arrivals = Array.from({ length: count }, (_, n) => sampleArrival({ tenantId, chain, offset: offset + n }));
      await writer.append(tenantId, chain, arrivals);
    }
    offset += count;
  }
  const target = (receiver: Receiver) => ({
    kind: 's3',
    url: receiver.url,
    bucket: access.bucket,
    region: access.region,
    prefix: 'reeve/log/',
  });

  test('gets an object for each hour that is over, each an export by itself, with a manifest beside it', async () => {
    await growAgo(5, 300);
    await growAgo(3, 20);
    const receiver = await startObjectStore(access, attempt => (attempt === 2 ? { status: 503 } : null));
    running.push(receiver);
    const { id } = await open(receiver, { target: target(receiver), credential });
    run(receiver);
    await eventually('it has all', async () => (await stateOf(receiver, id)).behind === 0);
    expect(await stateOf(receiver, id)).toMatchObject({ health: 'ok', delivered: 640 });
    const names = [...receiver.objects.keys()].toSorted((one, other) => (one < other ? -1 : 1));
    expect(names).toHaveLength(4);
    for (const name of names)
      expect(name).toMatch(new RegExp(`^reeve/log/${tenantId}/\\d{4}/\\d\\d/\\d\\d/\\d\\d-reeve`));
    for (const name of names.filter(one => one.endsWith('.manifest.json'))) {
      const about = JSON.parse(String(receiver.objects.get(name))) as {
        object: string;
        sha256: string;
        records: number;
      };
      const body = receiver.objects.get(`reeve/log/${tenantId}/${about.object}`) ?? Buffer.alloc(0);
      expect(createHash('sha256').update(body).digest('hex')).toBe(about.sha256);
      const lines = Readable.from(gunzipSync(body).toString('utf8').trimEnd().split('\n'));
      const result = await verifyLines(lines, { format: formats.ndjson, keys });
      expect(result).toMatchObject({ finding: null, records: about.records, checkpoint: { signatureChecked: true } });
    }
    // What is chained now waits for its hour to end.
    await grow(3);
    await new Promise(resolve => setTimeout(resolve, 1_500));
    expect([receiver.objects.size, (await stateOf(receiver, id)).behind]).toEqual([4, 6]);
    expect(receiver.problems).toEqual([]);
  }, 40_000);

  test('says what is wrong with the key or the bucket, and is not made without what it needs', async () => {
    const receiver = await startObjectStore(access);
    running.push(receiver);
    const tested = async (name: string, changes: object, key = credential) => {
      const { id } = await open(receiver, { name, target: { ...target(receiver), ...changes }, credential: key });
      return call<{ delivered: boolean; code: string | null }>(testSink, networkTo(receiver.url), { sinkId: id });
    };
    expect(await tested('right', {})).toMatchObject({ delivered: true, code: null });
    expect([...receiver.objects.keys()]).toEqual([expect.stringMatching(/^reeve\/log\/ten_.*\/test\/msg_/)]);
    expect(await tested('key', {}, 'AKIAEXAMPLE:wrong')).toMatchObject({ delivered: false, code: 'unauthorized' });
    expect(await tested('bucket', { bucket: 'elsewhere' })).toMatchObject({ delivered: false, code: 'refused' });
    const refusal = (body: object) => open(receiver, { target: target(receiver), ...body });
    await expect(refusal({ name: 'a', credential: 'no colon' })).rejects.toMatchObject({ code: 'input_invalid' });
    await expect(refusal({ name: 'b', credential, types: ['alert.raised'] })).rejects.toMatchObject({
      code: 'input_invalid',
    });
  });
});

describe('a sink that takes some types alone', () => {
  test('gets those, whatever lies between, and no statement that it could not follow', async () => {
    await grow(30);
    const writer = createChainWriter(parts);
    const alert = async (n: number) => {
      const chain = 'reeve.activity.v1/0';
      const changes = { type: 'alert.raised', details: { n } };
      await writer.append(tenantId, chain, [sampleArrival({ tenantId, chain, offset: n * 2 }, changes)]);
      await writer.append(tenantId, chain, [
        sampleArrival({ tenantId, chain, offset: n * 2 + 1 }, { type: 'audit.read' }),
      ]);
    };
    for (const n of [0, 1, 2]) await alert(n);
    await sign();
    const receiver = await startWebhookReceiver(secret);
    running.push(receiver);
    const target = { kind: 'https', url: `${receiver.url}/page`, format: 'ndjson' };
    const { id } = await open(receiver, { target, credential: secret, types: ['alert.raised'] });
    run(receiver);
    await eventually('it has all', async () => (await stateOf(receiver, id)).behind === 0);
    await alert(3);
    await eventually('the last arrived', () => receiver.lines.length >= 4);
    const got = receiver.lines.map(line => JSON.parse(line) as { type: string; details: { n: number } });
    expect(got.map(({ type, details }) => [type, details.n])).toEqual([0, 1, 2, 3].map(n => ['alert.raised', n]));
    expect(await stateOf(receiver, id)).toMatchObject({ health: 'ok', types: ['alert.raised'] });
    expect(receiver.problems).toEqual([]);
  }, 30_000);
});

test('a sink does not wait for those of other tenants whose receivers take seconds for each batch', async () => {
  const slow = await listen(createServer((_, response) => setTimeout(() => response.end(), 6_000)));
  const quick = await startWebhookReceiver(secret);
  running.push(slow, quick);
  const to = (url: string) => ({ kind: 'https', url, format: 'ndjson' });
  const network = createGuardedNetwork({ allowedPrivateOrigins: [slow.url, quick.url], timeoutMs: 20_000 });
  for (const _ of [1, 2, 3]) {
    tenantId = newId('tenant');
    offset = 0;
    // Three batches of the largest size and more.
    await grow(1_600, ['reeve.auth.v1/0']);
    for (const name of ['a', 'b', 'c'])
      await call(createSink, network, { body: { name, start: 'beginning', target: to(slow.url) } });
  }
  const runner = createSinkRunner({ ...parts, network, onError: error => void quick.problems.push(String(error)) });
  runner.start();
  running.unshift(runner);
  await pause(3_000);
  tenantId = newId('tenant');
  offset = 0;
  await grow(5);
  const target = to(quick.url);
  await call(createSink, network, { body: { name: 'siem', start: 'beginning', target, credential: secret } });
  await eventually('it arrived', () => quick.lines.length >= 10, 12_000);
  expect(quick.problems).toEqual([]);
}, 60_000);

describe.each(Object.entries(http))('a sink of kind %s', (_, { format, start, body }) => {
  test('gets the log from its beginning, with the checkpoint behind it, and what comes later', async () => {
    await grow(700);
    await sign();
    const receiver = await start();
    running.push(receiver);
    const { id } = await open(receiver, body(receiver));
    run(receiver);
    await eventually('everything arrived', () => receiver.lines.length >= 1_401);
    expect(await verified(receiver.lines, format)).toMatchObject({
      records: 1_400,
      beyondCheckpoint: 0,
      finding: null,
      checkpoint: { signatureChecked: true },
    });
    await grow(3);
    await eventually('the rest arrived', () => receiver.lines.length >= 1_407);
    expect((await verified(receiver.lines, format)).finding).toBe(null);
    await eventually('it knows', async () => (await stateOf(receiver, id)).behind === 0);
    expect(await stateOf(receiver, id)).toMatchObject({ health: 'ok', delivered: 1_407, refused: 0 });
    expect(receiver.problems).toEqual([]);
  }, 40_000);

  test('loses nothing to a receiver that is down, slow, overloaded or breaks off', async () => {
    await grow(20);
    await sign();
    const receiver = await start(
      attempt => ([null, { status: 503 }, 'reset', 'hang', { status: 429 }] as const)[attempt] ?? null,
    );
    running.push(receiver);
    await open(receiver, body(receiver));
    run(receiver);
    await eventually('everything arrived', () => receiver.lines.length >= 41, 30_000);
    expect(await verified(receiver.lines, format)).toMatchObject({ records: 40, finding: null });
    expect(receiver.problems).toEqual([]);
  }, 40_000);

  test('is delivered once by two instances, and on by the other when one is gone', async () => {
    await grow(300);
    const receiver = await start();
    running.push(receiver);
    await open(receiver, body(receiver));
    const [one] = [run(receiver), run(receiver)];
    await eventually('everything arrived', () => receiver.lines.length >= 600);
    await one.stop();
    await grow(10);
    await eventually('the rest arrived', () => receiver.lines.length >= 620);
    expect(receiver.lines).toHaveLength(620);
    expect(await verified(receiver.lines, format)).toMatchObject({ records: 620 });
  }, 40_000);
});

describe('a sink of kind syslog_tls', () => {
  const target = ({ port }: { port: number }) => ({ kind: 'syslog_tls', host: '127.0.0.1', port, ca: tls.cert });

  test('gets the log framed by octets, and again what a broken connection may have lost', async () => {
    await grow(200);
    await sign();
    const receiver = await startSyslogReceiver({ ...tls, breaks: 2 });
    running.push(receiver);
    await open(receiver, { target: target(receiver) });
    run(receiver);
    await eventually('everything arrived', () => receiver.lines.length >= 401, 20_000);
    expect(await verified(receiver.lines, 'syslog')).toMatchObject({ records: 400, finding: null });
    expect(receiver.problems).toEqual([]);
    expect(receiver.attempts()).toBeGreaterThan(2);
  }, 40_000);

  test('is not delivered to a receiver whose certificate nobody vouches for', async () => {
    const receiver = await startSyslogReceiver(tls);
    running.push(receiver);
    const { id } = await open(receiver, { target: { ...target(receiver), ca: undefined } });
    expect(await call<Tested>(testSink, networkTo(receiver.url), { sinkId: id })).toMatchObject({
      delivered: false,
      code: 'unauthorized',
    });
    await call(updateSink, networkTo(receiver.url), { sinkId: id, body: { target: target(receiver) } });
    expect(await call<Tested>(testSink, networkTo(receiver.url), { sinkId: id })).toMatchObject({
      delivered: true,
      code: null,
    });
  });
});

describe('a sink', () => {
  const failures = () => published.filter(({ key: of, event }) => of === tenantId && event.type === 'sink.failed');

  const webhook = async (wrong?: (attempt: number) => { status: number; headers?: Record<string, string> } | null) => {
    const receiver = await startWebhookReceiver(secret, wrong);
    running.push(receiver);
    return receiver;
  };
  const https = (receiver: Receiver, more: object = {}) => ({
    target: { kind: 'https', url: receiver.url, format: 'ndjson' },
    credential: secret,
    ...more,
  });

  test('halves what a receiver finds too large, until it takes it', async () => {
    await grow(64, ['reeve.auth.v1/0']);
    const receiver = await webhook(attempt => (attempt <= 3 ? { status: 413 } : null));
    await open(receiver, https(receiver));
    run(receiver);
    await eventually('everything arrived', () => receiver.lines.length >= 64);
    expect(await verified(receiver.lines, 'ndjson')).toMatchObject({ records: 64 });
    expect(receiver.attempts()).toBeGreaterThanOrEqual(4);
  }, 30_000);

  test('has its third failure recorded in the log, once, and nothing more when it recovers', async () => {
    await grow(1, ['reeve.auth.v1/0']);
    const receiver = await webhook(attempt => (attempt <= 4 ? { status: 500 } : null));
    const { id } = await open(receiver, https(receiver));
    run(receiver);
    await eventually('it failed', async () => (await stateOf(receiver, id)).lastError?.code === 'busy');
    await eventually('it arrived', () => receiver.lines.length === 1, 25_000);
    await eventually('it recovered', async () => (await stateOf(receiver, id)).health === 'ok');
    await eventually('the failure is recorded', () => failures().length > 0);
    expect(failures()).toHaveLength(1);
    expect(JSON.stringify(published.filter(({ key: of }) => of === tenantId))).not.toContain(secret);
  }, 40_000);

  test('sets aside what a receiver will never take, says which, and goes on', async () => {
    await grow(10, ['reeve.auth.v1/0']);
    const { items } = await parts.records.in(tenantId).list('byChain', { chain: 'reeve.auth.v1/0' }, { limit: 10 });
    const bad = items[4]?.id ?? '';
    const receiver = await startElasticsearchReceiver('key-1', id => (id === bad ? 400 : null));
    running.push(receiver);
    const { id } = await open(receiver, {
      target: { kind: 'elasticsearch', url: receiver.url, dataStream: 'logs' },
      credential: 'key-1',
    });
    run(receiver);
    await eventually('the others arrived', () => receiver.lines.length >= 9);
    await eventually('it is counted', async () => (await stateOf(receiver, id)).refused === 1);
    await eventually('the refusal is recorded', () => failures().length > 0);
    expect(failures()[0]?.event.data).toMatchObject({ details: { code: 'records_refused', refused: [bad] } });
  }, 30_000);

  test('that is deleted while it is paused leaves nothing behind', async () => {
    const receiver = await webhook();
    const network = networkTo(receiver.url);
    const { id } = await open(receiver, https(receiver));
    await call(pauseSink, network, { sinkId: id });
    await call(deleteSink, network, { sinkId: id });
    run(receiver);
    await eventually('its run is gone', async () => (await parts.runs.in(tenantId).get(id)) === null);
    expect(receiver.lines).toEqual([]);
  });

  test('stands still while it is paused, goes on where it was, and delivers again what is asked for', async () => {
    const receiver = await webhook();
    const network = networkTo(receiver.url);
    const { id } = await open(receiver, https(receiver));
    await call(pauseSink, network, { sinkId: id });
    const runner = run(receiver);
    await grow(5, ['reeve.auth.v1/0']);
    await new Promise(resolve => setTimeout(resolve, 2_500));
    expect(receiver.lines).toEqual([]);
    expect(await stateOf(receiver, id)).toMatchObject({ status: 'paused', behind: 5 });
    await call(resumeSink, network, { sinkId: id });
    await eventually('it arrived', () => receiver.lines.length === 5);
    await new Promise(resolve => setTimeout(resolve, 20));
    const from = new Date().toISOString();
    await grow(2, ['reeve.auth.v1/0']);
    await eventually('the rest arrived', () => receiver.lines.length === 7);
    await runner.stop();
    const second = await startWebhookReceiver(secret);
    running.push(second);
    await call(updateSink, networkTo(second.url), {
      sinkId: id,
      body: { target: { kind: 'https', url: second.url, format: 'ndjson' } },
    });
    await call(replaySink, network, { sinkId: id, body: { from } });
    run(second);
    await eventually('the last two came again', () => second.lines.length === 2);
    await call(deleteSink, network, { sinkId: id });
    await grow(1, ['reeve.auth.v1/0']);
    await new Promise(resolve => setTimeout(resolve, 2_500));
    expect(second.lines).toHaveLength(2);
    await expect(stateOf(receiver, id)).rejects.toMatchObject({ code: 'not_found' });
  }, 40_000);

  test('that is to begin now gets nothing of before', async () => {
    await grow(5);
    const receiver = await webhook();
    await open(receiver, https(receiver, { start: 'now' }));
    run(receiver);
    await grow(1);
    await eventually('what is new arrived', () => receiver.lines.length >= 2);
    expect(receiver.lines).toHaveLength(2);
  }, 30_000);

  test('is tested with a record that is nowhere else', async () => {
    const receiver = await webhook();
    const { id } = await open(receiver, https(receiver));
    expect(await call<Tested>(testSink, networkTo(receiver.url), { sinkId: id })).toMatchObject({ delivered: true });
    expect(JSON.parse(receiver.lines[0] ?? '')).toMatchObject({ type: 'sink.tested', chain: 'test/0', tenantId });
    const wrong = await startSplunkReceiver({ token: 'right' });
    running.push(wrong);
    const splunk = await open(wrong, {
      name: 'other',
      target: { kind: 'splunk_hec', url: wrong.url },
      credential: 'wrong',
    });
    expect(await call<Tested>(testSink, networkTo(wrong.url), { sinkId: splunk.id })).toMatchObject({
      delivered: false,
      code: 'unauthorized',
    });
  });

  test('reaches nothing inside the network, whoever asks', async () => {
    const receiver = await webhook();
    const { id } = await open(receiver, https(receiver));
    const outside = networkTo();
    const urls = [
      receiver.url,
      'http://169.254.169.254/latest',
      'https://10.0.0.1/',
      'https://[::1]/',
      'http://example.org/',
      'https://a:b@example.org/',
    ];
    for (const url of urls) {
      const body = { target: { kind: 'https', url, format: 'ndjson' } };
      await expect(call(updateSink, outside, { sinkId: id, body })).rejects.toMatchObject({ code: 'url_refused' });
    }
    const inside = { kind: 'syslog_tls', host: '127.0.0.1', port: 6514 };
    const body = { name: 'syslog', target: inside, start: 'now' };
    await expect(call(createSink, outside, { body })).rejects.toMatchObject({ code: 'url_refused' });
    // What a name leads to is known when it is connected to, and what was open may be closed later.
    const port = new URL(receiver.url).port;
    const named = { target: { kind: 'https', url: `https://localhost:${port}/`, format: 'ndjson' } };
    await call(updateSink, outside, { sinkId: id, body: named });
    expect(await call<Tested>(testSink, outside, { sinkId: id })).toMatchObject({ delivered: false, code: 'refused' });
    await call(updateSink, networkTo(receiver.url), { sinkId: id, body: { target: https(receiver).target } });
    expect(await call<Tested>(testSink, outside, { sinkId: id })).toMatchObject({ delivered: false, code: 'refused' });
    const syslog = { name: 'by name', target: { ...inside, host: 'localhost' }, start: 'now' };
    const sink = await call<View>(createSink, outside, { body: syslog });
    expect(await call<Tested>(testSink, outside, { sinkId: sink.id })).toMatchObject({
      delivered: false,
      code: 'refused',
    });
    expect(receiver.attempts()).toBe(0);
  });

  test('that begins to sign in with SASL needs the password for it', async () => {
    const network = networkTo('tls://127.0.0.1:9092');
    const target = { kind: 'kafka', brokers: ['127.0.0.1:9092'], topic: 'audit' };
    const { id } = await call<View>(createSink, network, {
      body: { name: 'kafka', target: kafkaTarget.parse(target) },
    });
    const sasl = { mechanism: 'scram-sha-512', username: 'reeve' };
    const signingIn = { target: kafkaTarget.parse({ ...target, sasl }) };
    await expect(call(updateSink, network, { sinkId: id, body: signingIn })).rejects.toMatchObject({
      code: 'input_invalid',
      errors: [{ field: 'credential', message: 'is required for this target' }],
    });
    const withPassword = { ...signingIn, credential: 'the password' };
    expect(await call(updateSink, network, { sinkId: id, body: withPassword })).toMatchObject({ target: { sasl } });
    // It has one now: another user name needs no other.
    const renamed = { target: kafkaTarget.parse({ ...target, sasl: { ...sasl, username: 'other' } }) };
    expect(await call(updateSink, network, { sinkId: id, body: renamed })).toMatchObject({
      target: { sasl: { username: 'other' } },
    });
  });

  test('is not changed by whoever has seen another version, and neither is its credential', async () => {
    const receiver = await webhook();
    const network = networkTo(receiver.url);
    const { id } = await open(receiver, https(receiver));
    const stored = () =>
      published.filter(({ event }) => event.type === 'secret.stored' && event.subject.includes(id)).length;
    await eventually('the secret is stored', () => stored() === 1);
    const body = { credential: `whsec_${randomBytes(32).toString('base64')}` };
    await expect(call(updateSink, network, { sinkId: id, body, expectedVersion: 7 })).rejects.toThrow('version 7');
    for (const route of [pauseSink, resumeSink])
      await expect(call(route, network, { sinkId: id, expectedVersion: 7 })).rejects.toMatchObject({
        code: 'precondition_failed',
      });
    expect(stored()).toBe(1);
    await call(updateSink, network, { sinkId: id, body, expectedVersion: 1 });
    await eventually('the other secret is stored', () => stored() === 2);
    await call(pauseSink, network, { sinkId: id, expectedVersion: 2 });
  });

  test('shows a secret that was made once, and no credential otherwise', async () => {
    const receiver = await webhook();
    const made = await open(receiver, { target: { kind: 'https', url: receiver.url } });
    expect(made.credential).toMatch(/^whsec_/);
    expect(JSON.stringify(await stateOf(receiver, made.id))).not.toContain('whsec_');
    const given = await open(receiver, { ...https(receiver), name: 'given' });
    expect(given.credential).toBe(null);
    await expect(open(receiver, { ...https(receiver), name: 'GIVEN' })).rejects.toMatchObject({
      code: 'sink_name_taken',
    });
    await expect(open(receiver, { ...https(receiver), name: 'x', credential: 'short' })).rejects.toMatchObject({
      errors: [{ field: 'credential' }],
    });
  });
});
