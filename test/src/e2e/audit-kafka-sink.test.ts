// A sink to a Kafka cluster of somebody else's: a real broker that takes nothing but TLS and SASL.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createVerifier, formats } from '@reeve/audit-log';
import { type Child, createChildren } from '@reeve/local/children';
import { allowScram, type Secured, startKafka } from '@reeve/local/kafka-engine';
import { eventually } from '@reeve/testing/eventually';
import { Kafka, logLevel } from 'kafkajs';
import { generate } from 'selfsigned';
import { auditKeys } from '../support/audit.ts';
import { freshTenant, runningSystem, type TestTenant } from '../support/running-system.ts';

type Sink = {
  id: string;
  health: string;
  behind: number;
  delivered: number;
  lastError: { code: string; detail: string } | null;
};

const [port = 0, controllerPort = 0] = (process.env['REEVE_TEST_ELSEWHERE'] ?? '').split(' ').map(Number);
const credentials = runningSystem();
const minutes = 60_000;
const topic = 'their.audit';
const directory = mkdtempSync(join(tmpdir(), 'reeve-elsewhere-'));
const children = createChildren(directory);
let own: TestTenant;
let sinks: string;
let secured: Secured;
let broker: Child;
let cluster: Kafka;

const start = () => startKafka(children, { port, controllerPort, directory, say: () => undefined, secured });

beforeAll(async () => {
  const made = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
    ],
  });
  secured = { username: 'reeve', password: 'their-password', key: made.private, certificate: made.cert };
  broker = await start();
  await allowScram(secured, { port, directory });
  cluster = new Kafka({
    brokers: [`127.0.0.1:${port}`],
    ssl: { ca: secured.certificate },
    sasl: { mechanism: 'plain', username: secured.username, password: secured.password },
    logLevel: logLevel.NOTHING,
  });
  const admin = cluster.admin();
  await admin.connect();
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: 3, replicationFactor: 1 }] });
  await admin.disconnect();
  own = await freshTenant(credentials, 'kafka-sink');
  sinks = `${credentials.urls.audit}/v1/tenants/${own.tenant.id}/audit/sinks`;
}, 2 * minutes);
afterAll(async () => {
  await children.stopAll();
  rmSync(directory, { recursive: true, force: true });
});

const target = (changes: object = {}) => ({
  kind: 'kafka',
  brokers: [`127.0.0.1:${port}`],
  topic,
  sasl: { mechanism: 'plain', username: 'reeve' },
  ca: secured.certificate,
  format: 'ndjson',
  ...changes,
});

const create = (name: string, changes: object = {}, credential: string | null = secured.password) =>
  own.api.send('POST', sinks, {
    body: { name, target: target(changes), ...(credential === null ? {} : { credential }) },
  });

const sinkThat = (id: string, holds: (sink: Sink) => boolean, what: string) =>
  eventually(
    what,
    async () => {
      const sink = await own.api.get<Sink>(`${sinks}/${id}`);
      return holds(sink) ? sink : null;
    },
    minutes,
  );

/** All that is on the topic up to what is waited for, in the order of each partition. */
async function arrivedUntil(isLast: (value: string) => boolean): Promise<{ key: string; value: string }[]> {
  const consumer = cluster.consumer({ groupId: `test-${Date.now()}` });
  const found: { key: string; value: string }[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: ({ message }) => {
      found.push({ key: String(message.key), value: String(message.value) });
      return Promise.resolve();
    },
  });
  await eventually('the last message', () => Promise.resolve(found.some(({ value }) => isLast(value)) || null));
  await consumer.disconnect();
  return found;
}

describe('a sink of kind kafka', () => {
  test(
    'delivers the whole log, which verifies there, and goes on after the broker was away',
    async () => {
      const { id } = (await (await create('theirs')).json()) as Sink;
      await sinkThat(id, ({ delivered, behind }) => delivered > 0 && behind === 0, 'a sink that has delivered');
      await broker.kill();
      const users = `${credentials.urls.provisioning}/v1/tenants/${own.tenant.id}/users`;
      await own.api.post(users, { email: 'late@example.org', displayName: 'Late' });
      const away = await sinkThat(id, ({ lastError }) => lastError !== null, 'a sink that fails');
      expect(away.lastError).toMatchObject({ code: 'unreachable' });
      broker = await start();
      await sinkThat(id, sink => sink.health === 'ok' && sink.behind === 0, 'a sink that has caught up');
      // Signs a checkpoint, which the sink sends along.
      await own.api.get(sinks.replace(/sinks$/, 'verify'));
      const messages = await arrivedUntil(value => value.startsWith('{"statement"'));
      expect(new Set(messages.map(({ key }) => key))).toEqual(new Set([own.tenant.id]));
      expect(messages.some(({ value }) => value.includes('late@example.org'))).toBe(true);
      const verifier = createVerifier({ format: formats.ndjson, keys: await auditKeys(credentials), of: 'stream' });
      for (const { value } of messages) await verifier.add(value);
      expect(await verifier.end()).toMatchObject({ finding: null, checkpoint: { signatureChecked: true } });
    },
    3 * minutes,
  );

  test(
    'fails alone when its cluster answers nonsense, and goes on when that is over',
    async () => {
      const { id } = (await (await create('nonsense')).json()) as Sink;
      await sinkThat(id, ({ delivered, behind }) => delivered > 0 && behind === 0, 'a sink that has delivered');
      await broker.kill();
      const liar = createServer({ key: secured.key, cert: secured.certificate }, socket => {
        socket.on('error', () => undefined);
        socket.write(Buffer.alloc(4));
      });
      liar.listen(port, '127.0.0.1');
      await once(liar, 'listening');
      const users = `${credentials.urls.provisioning}/v1/tenants/${own.tenant.id}/users`;
      await own.api.post(users, { email: 'later@example.org', displayName: 'Later' });
      const failing = await sinkThat(id, ({ lastError }) => lastError !== null, 'a sink that fails');
      expect(failing.lastError).toMatchObject({ code: 'protocol' });
      expect(await own.api.post(`${sinks}/${id}:test`)).toMatchObject({ delivered: false, code: 'protocol' });
      liar.close();
      broker = await start();
      await sinkThat(id, sink => sink.health === 'ok' && sink.behind === 0, 'a sink that has caught up');
    },
    3 * minutes,
  );

  test(
    'says what is wrong: a password, a topic, a certificate',
    async () => {
      const tested = async (name: string, changes: object, credential?: string) => {
        const { id } = (await (await create(name, changes, credential)).json()) as Sink;
        const answer = await own.api.post<{ delivered: boolean; code: string }>(`${sinks}/${id}:test`);
        await own.api.send('DELETE', `${sinks}/${id}`);
        return [answer.delivered, answer.code];
      };
      expect(await tested('right', {})).toEqual([true, null]);
      const by = (mechanism: string) => ({ sasl: { mechanism, username: 'reeve' } });
      for (const mechanism of ['scram-sha-256', 'scram-sha-512']) {
        expect(await tested(mechanism, by(mechanism))).toEqual([true, null]);
        expect(await tested(`${mechanism}, password`, by(mechanism), 'wrong')).toEqual([false, 'unauthorized']);
      }
      expect(await tested('password', {}, 'wrong')).toEqual([false, 'unauthorized']);
      expect(await tested('topic', { topic: 'nowhere' })).toEqual([false, 'refused']);
      expect(await tested('certificate', { ca: undefined })).toEqual([false, 'unauthorized']);
    },
    2 * minutes,
  );

  test('is refused to where it may not go, and without what it needs', async () => {
    const problemOf = async (answer: Promise<Response>) => {
      const response = await answer;
      const body = (await response.json()) as { code: string; errors?: { field: string }[] };
      return [response.status, body.code, body.errors?.map(({ field }) => field) ?? []];
    };
    const inside = { brokers: ['127.0.0.1:9', '10.0.0.1:9092'] };
    expect(await problemOf(create('inside', inside))).toEqual([422, 'url_refused', []]);
    expect(await problemOf(create('no password', {}, null))).toEqual([400, 'input_invalid', ['credential']]);
    expect(await problemOf(create('one too many', { sasl: null }))).toEqual([400, 'input_invalid', ['credential']]);
    expect(await problemOf(create('no port', { brokers: ['kafka'] }))).toEqual([
      400,
      'input_invalid',
      ['target.brokers.0'],
    ]);
  });
});
