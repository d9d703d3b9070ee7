// The bus against a real broker.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type CloudEvent, emptyContext, newId } from '@reeve/contracts';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import type { Received } from './consumer.ts';
import { PoisonMessageError } from './errors.ts';
import { collectLog, freshTopic, message, until } from './event-bus.test-support.ts';
import { createEventBus, type EventBus } from './event-bus.ts';

const broker = process.env['REEVE_TEST_KAFKA'];
if (broker === undefined) throw new Error('there is no broker: use `npm test`, which starts one');

class StoreDown extends Error {}

const kafka = new Kafka({ brokers: [broker], clientId: 'test', logLevel: logLevel.NOTHING });
const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
let bus: EventBus;

beforeAll(async () => {
  bus = createEventBus({ brokers: [broker], clientId: 'test', isTransient: error => error instanceof StoreDown });
  await producer.connect();
});

afterAll(async () => {
  await bus.stop();
  await producer.disconnect();
});

describe('topics', () => {
  test('are made with the declared partitions and retention, and left alone when they exist', async () => {
    const topic = await freshTopic(bus, { partitions: 4 });
    await bus.ensureTopics({
      [topic]: { summary: '', key: '', writers: [], partitions: 9, retentionMs: 1, compacted: true },
    });
    const admin = kafka.admin();
    await admin.connect();
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    expect(topics[0]?.partitions).toHaveLength(4);
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: 2, name: topic, configNames: ['retention.ms', 'cleanup.policy'] }],
    });
    expect(
      Object.fromEntries(
        resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]) ?? [],
      ),
    ).toEqual({ 'retention.ms': '3600000', 'cleanup.policy': 'delete' });
    await admin.disconnect();
  });
});

describe('publishing and consuming', () => {
  test('an event arrives as it was, JSON and bytes alike, in the order of its key', async () => {
    const topic = await freshTopic(bus);
    const received: Received[] = [];
    await bus.consume({
      group: `g.${topic}`,
      topics: [topic],
      handleBatch: ({ events }) => Promise.resolve(void received.push(...events)),
    });
    const bytes = Buffer.from([0xff, 0x00, 0xfe]);
    const sent = [
      message(
        topic,
        { n: 1, text: 'ä – ☃' },
        { causationId: 'cause', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
      ),
      message(topic, bytes, { contentType: 'application/octet-stream' }),
      ...Array.from({ length: 500 }, (_, n) => message(topic, { n })),
    ];
    await Promise.all(sent.map(one => bus.publish([one])));
    await until(() => received.length === sent.length);
    const [first, second] = received;
    expect(first).toMatchObject({
      ...sent[0]?.event,
      topic,
      partition: 0,
      offset: '0',
      traceparent: expect.stringContaining('0af7651916cd43dd8448eb211c80319c'),
    });
    expect(second?.data).toEqual(bytes);
    expect(received.slice(2).map(({ data }) => (data as { n: number }).n)).toEqual(
      Array.from({ length: 500 }, (_, n) => n),
    );
  });

  test('more than a broker takes in one batch is published in several, in order; a message of a megabyte goes alone', async () => {
    const topic = await freshTopic(bus);
    const sizes: number[] = [];
    await bus.consume({
      group: `g.${topic}`,
      topics: [topic],
      handleBatch: ({ events }) =>
        Promise.resolve(void sizes.push(...events.map(({ data }) => (data as Buffer).length))),
    });
    const bytes = [...Array.from({ length: 60 }, (_, n) => 40_000 + n), 1_048_576, 7];
    await bus.publish(
      bytes.map(size => message(topic, Buffer.alloc(size), { contentType: 'application/octet-stream' })),
    );
    await until(() => sizes.length === bytes.length);
    expect(sizes).toEqual(bytes);
  });

  test('an offset is committed only after its effect: whoever takes over gets what was not finished', async () => {
    const topic = await freshTopic(bus);
    const group = `g.${topic}`;
    const first = createEventBus({ brokers: [broker], clientId: 'first', isTransient: () => true });
    let attempts = 0;
    await first.consume({
      group,
      topics: [topic],
      handleBatch: () => Promise.reject(new StoreDown(`attempt ${(attempts += 1)}`)),
    });
    await bus.publish([message(topic, { n: 1 })]);
    await until(() => attempts > 0);
    await first.stop();
    const received: Received[] = [];
    await bus.consume({
      group,
      topics: [topic],
      handleBatch: ({ events }) => Promise.resolve(void received.push(...events)),
    });
    await until(() => received.length === 1);
  });

  test('a handler that needs longer than the session of a member is handled once', async () => {
    const topic = await freshTopic(bus);
    const group = `test.${randomUUID()}`;
    const seen: string[] = [];
    const slow = createEventBus({ brokers: [broker], clientId: 'slow' });
    await slow.consume({
      group,
      topics: [topic],
      async handleBatch({ events }) {
        seen.push(...events.map(({ offset }) => offset));
        await new Promise(resolve => setTimeout(resolve, 12_000));
      },
    });
    const admin = kafka.admin();
    try {
      await bus.publish([message(topic, {})]);
      await until(() => seen.length > 0);
      await admin.connect();
      let committed: string | undefined;
      for (let tries = 0; tries < 200 && committed !== '1'; tries += 1) {
        // A broker that was held up for a second is no coordinator for a moment, and says so.
        const offsets = await admin.fetchOffsets({ groupId: group, topics: [topic] }).catch(() => []);
        committed = offsets[0]?.partitions[0]?.offset;
        await new Promise(resolve => setTimeout(resolve, 100));
      }
      expect([committed, seen]).toEqual(['1', ['0']]);
    } finally {
      await admin.disconnect();
      await slow.stop();
    }
  }, 40_000);
});

describe('a group', () => {
  test('whose members come and go says nothing of it, and handles everything', async () => {
    const topic = await freshTopic(bus, { partitions: 4 });
    const handled = new Set<string>();
    const { log, lines } = collectLog();
    const member = () => {
      const own = createEventBus({ brokers: [broker], clientId: 'member', log });
      const joined = own.consume({
        group: `g.${topic}`,
        topics: [topic],
        handleBatch: ({ events }) => Promise.resolve(events.forEach(({ id }) => handled.add(id))),
      });
      return { own, joined: joined.then(consumer => consumer.joined) };
    };
    const sent: string[] = [];
    const publishing = setInterval(() => {
      const messages = [1, 2, 3, 4].map(n => ({ ...message(topic, { n }), key: `key ${n}` }));
      sent.push(...messages.map(({ event }) => event.id));
      void bus.publish(messages);
    }, 20);
    const first = member();
    await first.joined;
    for (let round = 0; round < 3; round += 1) {
      const second = member();
      await second.joined;
      const atJoin = sent.length;
      await until(() => sent.length > atJoin + 200);
      await second.own.stop();
    }
    clearInterval(publishing);
    await until(() => sent.every(id => handled.has(id)));
    await first.own.stop();
    expect(lines).toEqual([]);
  }, 60_000);
});

describe('failures', () => {
  test('a transient failure is tried again until it passes, nothing is skipped and nothing overtakes', async () => {
    const topic = await freshTopic(bus);
    const handled: number[] = [];
    let failuresLeft = 4;
    await bus.consume({
      group: `g.${topic}`,
      topics: [topic],
      handleBatch: ({ events }) => {
        for (const { data } of events) {
          if ((data as { n: number }).n === 3 && failuresLeft-- > 0) return Promise.reject(new StoreDown());
          handled.push((data as { n: number }).n);
        }
        return Promise.resolve();
      },
    });
    await bus.publish([1, 2, 3, 4, 5].map(n => message(topic, { n })));
    await until(() => handled.includes(5));
    expect([...new Set(handled)]).toEqual([1, 2, 3, 4, 5]);
    expect(await bus.readDeadLetters(topic, `g.${topic}`)).toEqual([]);
  });

  test('poison goes to the dead letters with its bytes, headers and reason, what follows it is handled, and it can be replayed', async () => {
    const topic = await freshTopic(bus);
    const group = `g.${topic}`;
    const handled: unknown[] = [];
    let mended = false;
    await bus.consume({
      group,
      topics: [topic],
      handleBatch: ({ events }) => {
        for (const { data } of events) {
          if ((data as { n: number }).n === 2 && !mended)
            return Promise.reject(new PoisonMessageError('unreadable', 'two cannot be read'));
          handled.push((data as { n: number }).n);
        }
        return Promise.resolve();
      },
    });
    await producer.send({
      topic,
      messages: [{ key: 'k', value: 'no event at all', headers: { 'x-from': 'elsewhere' } }],
    });
    await bus.publish([1, 2, 3].map(n => message(topic, { n })));
    await until(() => handled.includes(3));
    const letters = await bus.readDeadLetters(topic, group);
    expect(letters.map(({ headers }) => headers['dlq-reason-code'])).toEqual(['attribute_missing', 'unreadable']);
    expect(letters[0]).toMatchObject({
      key: 'k',
      value: Buffer.from('no event at all'),
      headers: { 'x-from': 'elsewhere', 'dlq-original-topic': topic, 'dlq-original-offset': '0', 'dlq-group': group },
    });
    mended = true;
    await bus.replayDeadLetters(topic, letters.slice(1));
    await until(() => handled.includes(2));
  });

  test('a failure of unknown kind is tried several times and then set aside, so that one message does not stop a partition for ever', async () => {
    const topic = await freshTopic(bus);
    const group = `g.${topic}`;
    let attempts = 0;
    const handled: number[] = [];
    await bus.consume({
      group,
      topics: [topic],
      handleBatch: ({ events }) => {
        for (const { data } of events) {
          const { n } = data as { n: number };
          if (n === 1) return Promise.reject(new TypeError(`a bug, met ${(attempts += 1)} times`));
          handled.push(n);
        }
        return Promise.resolve();
      },
    });
    await bus.publish([1, 2].map(n => message(topic, { n })));
    await until(() => handled.includes(2));
    expect(attempts).toBeGreaterThanOrEqual(5);
    expect((await bus.readDeadLetters(topic, group)).map(({ headers }) => headers['dlq-reason-code'])).toEqual([
      'handler_failed',
    ]);
  }, 60_000);
});

describe('typed subscriptions', () => {
  const head = {
    actor: { type: 'service', id: 'test', name: null, via: 'system' },
    target: { type: 'tenant', id: newId('tenant'), name: null },
    outcome: 'success',
    reason: { code: 'requested', rule: null, basis: null },
    context: emptyContext,
  };
  const tenantCreated = (details: object, change: Partial<CloudEvent> = {}) =>
    message('reeve.directory.v1', { ...head, details }, change);

  test('hand on the types asked for, tolerate what a newer producer adds, pass over other types, and set aside what breaks the schema', async () => {
    await bus.ensureTopics({
      'reeve.directory.v1': { summary: '', key: '', writers: [], partitions: 3, retentionMs: -1, compacted: false },
    });
    const group = `typed.${randomUUID()}`;
    const run = randomUUID();
    const slugs: string[] = [];
    await bus.subscribe(group, {
      'tenant.created': ({ data }) =>
        Promise.resolve(void (data.details.slug.startsWith(run) && slugs.push(data.details.slug))),
    });
    const broken = tenantCreated({ slug: 7 });
    await bus.publish([
      tenantCreated({ slug: `${run}.1`, status: 'active', addedLater: true }),
      broken,
      tenantCreated({ slug: `${run}.other`, status: 'active' }, { type: 'tenant.unheard_of' }),
      tenantCreated({ slug: `${run}.2`, status: 'active' }),
    ]);
    // At least once: the batch that held the broken one is given again.
    await until(() => new Set(slugs).size === 2);
    expect([...new Set(slugs)]).toEqual([`${run}.1`, `${run}.2`]);
    const letters = await bus.readDeadLetters('reeve.directory.v1', group);
    expect(letters.find(({ headers }) => headers['ce_id'] === broken.event.id)?.headers).toMatchObject({
      'dlq-reason-code': 'data_invalid',
      'dlq-reason': expect.stringContaining('details.slug'),
    });
  }, 60_000);

  test('pass over other types unread, and say soon how far they are', async () => {
    const topic = await freshTopic(bus);
    const group = `passing.${randomUUID()}`;
    const received: string[] = [];
    await bus.consume({
      group,
      topics: [topic],
      types: ['test.wanted'],
      handleBatch: ({ events }) => Promise.resolve(void received.push(...events.map(({ id }) => id))),
    });
    const wanted = message(topic, {}, { type: 'test.wanted' });
    const unread = { key: 'a', value: '{', headers: { ce_type: 'test.other' } };
    const nameless = { key: 'a', value: '{', headers: {} };
    await bus.publish([message(topic, {}, { type: 'test.other' }), wanted]);
    await producer.send({ topic, messages: [unread, nameless, unread] });
    await until(async () => (await bus.readDeadLetters(topic, group)).length > 0);
    expect(received).toEqual([wanted.event.id]);
    expect((await bus.readDeadLetters(topic, group)).map(({ value }) => String(value))).toEqual(['{']);
    const admin = kafka.admin();
    await admin.connect();
    const ends = async () => {
      const [of] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
      return of?.partitions.reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
    };
    await until(async () => (await ends()) === 5);
    await admin.disconnect();
  }, 60_000);
});
