// A broker that is slow, does not answer or is gone: one of its own, reached by a proxy that can hold up what passes.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Message } from '@reeve/contracts';
import { startOwnKafka } from '@reeve/local/own-kafka';
import { PublishDeadlineError } from './errors.ts';
import { collectLog, freshTopic, message, until } from './event-bus.test-support.ts';
import { createEventBus, type EventBus } from './event-bus.ts';

let kafka: Awaited<ReturnType<typeof startOwnKafka>>;
let bus: EventBus;
let lines: readonly string[];

/** As a machine that is out of breath does: neither timers nor sockets of this process are looked after. */
const standStill = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

function newBus(): { bus: EventBus; lines: readonly string[] } {
  const { log, lines } = collectLog();
  return { bus: createEventBus({ brokers: [kafka.address], clientId: 'test', log }), lines };
}

async function arrivedOn(topic: string): Promise<unknown[]> {
  const arrived: unknown[] = [];
  await bus.readTopics([topic], ({ message: { value } }) => {
    const { n } = JSON.parse(String(value)) as { n: unknown };
    arrived.push(n);
  });
  return arrived;
}

/** How it ended, and after how long. */
async function timed(work: Promise<unknown>): Promise<{ error: unknown; ms: number }> {
  const began = Date.now();
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  return { error, ms: Date.now() - began };
}

beforeAll(async () => {
  kafka = await startOwnKafka();
}, 120_000);
afterAll(() => kafka.stop());
beforeEach(() => {
  ({ bus, lines } = newBus());
});
afterEach(async () => {
  kafka.proxy.hold({});
  await bus.stop();
});

describe('what may be published until a certain moment', () => {
  const soon = () => Date.now() + 500;
  function expectInTime({ error, ms }: { error: unknown; ms: number }) {
    expect(error).toBeInstanceOf(PublishDeadlineError);
    expect(ms).toBeLessThan(5_000);
  }

  test('does not leave a process that stood still until later, and without that moment it does', async () => {
    const topic = await freshTopic(bus);
    await bus.publish([message(topic, { n: 'first' })]);
    const slowly = (n: string) => message(topic, { toJSON: () => (standStill(700), { n }) });
    await expect(bus.publish([slowly('too late')], { before: soon() })).rejects.toThrow(PublishDeadlineError);
    await bus.publish([slowly('at leisure')]);
    await bus.publish([slowly('just in time')], { before: Date.now() + 5_000 });
    expect(await arrivedOn(topic)).toEqual(['first', 'at leisure', 'just in time']);
    expect(kafka.proxy.hasSeen('too late')).toBe(false);
  });

  test('does not leave when what comes before it is answered later, and without that moment it does', async () => {
    const topic = await freshTopic(bus);
    kafka.proxy.hold({ answers: true });
    const late = await timed(bus.publish([message(topic, { n: 'too late' })], { before: soon() }));
    expectInTime(late);
    const patient = bus.publish([message(topic, { n: 'at leisure' })]);
    await pause(500);
    kafka.proxy.hold({});
    await patient;
    expect(await arrivedOn(topic)).toEqual(['at leisure']);
    expect(kafka.proxy.hasSeen('too late')).toBe(false);
  });

  test('does not arrive later out of a connection that stood still, and without that moment it does', async () => {
    const topic = await freshTopic(bus);
    const much = 'm'.repeat(800_000);
    await bus.publish([message(topic, { n: 'first' })]);
    kafka.proxy.hold({ requests: true });
    const late = await timed(bus.publish([message(topic, { n: 'too late', much })], { before: soon() }));
    expectInTime(late);
    const patient = bus.publish([message(topic, { n: 'at leisure', much })]);
    await pause(500);
    kafka.proxy.hold({});
    await patient;
    expect(await arrivedOn(topic)).toEqual(['first', 'at leisure']);
  });

  test('is given up in time while others wait in front of it, and is not sent after them', async () => {
    const topic = await freshTopic(bus);
    kafka.proxy.hold({ answers: true });
    const patient = bus.publish([message(topic, { n: 'at leisure' })]);
    await pause(50);
    const late = await timed(bus.publish([message(topic, { n: 'too late' })], { before: soon() }));
    expectInTime(late);
    kafka.proxy.hold({});
    await patient;
    await bus.publish([message(topic, { n: 'later' })]);
    expect(await arrivedOn(topic)).toEqual(['at leisure', 'later']);
  });

  test('keeps its order, whoever shares the request', async () => {
    const topic = await freshTopic(bus);
    const numbers = Array.from({ length: 200 }, (_, n) => n);
    await Promise.all(
      numbers.map(n => bus.publish([message(topic, { n })], n % 3 === 0 ? {} : { before: Date.now() + 10_000 })),
    );
    expect(await arrivedOn(topic)).toEqual(numbers);
  });

  test('that it was not sent is an error of the caller and no line in the log', async () => {
    const topic = await freshTopic(bus);
    kafka.proxy.hold({ answers: true });
    await expect(bus.publish([message(topic, { n: 1 })], { before: soon() })).rejects.toThrow(PublishDeadlineError);
    kafka.proxy.hold({});
    await bus.publish([message(topic, { n: 2 })]);
    expect(lines).toEqual([]);
  });
});

test('a broker that does not answer holds nobody up who stops, but for what a handler has in hand', async () => {
  const topic = await freshTopic(bus);
  const { promise: finished, resolve: finish } = Promise.withResolvers<void>();
  let handling = false;
  const handleBatch = () => {
    handling = true;
    return finished;
  };
  await bus.consume({ group: topic, topics: [topic], handleBatch });
  await bus.follow(topic, () => undefined);
  await bus.publish([message(topic, {})]);
  await until(() => handling);
  kafka.proxy.hold({ answers: true });
  await pause(500);
  let stopped = false;
  const stopping = timed(bus.stop().then(() => (stopped = true)));
  await pause(5_000);
  expect(stopped).toBe(false);
  finish();
  const { error, ms } = await stopping;
  expect(error).toBeNull();
  expect(ms).toBeLessThan(14_000);
});

describe('a broker that goes and comes back', () => {
  test('is waited for with a few warnings; then everything goes on but what was stopped in between', async () => {
    const topic = await freshTopic(bus);
    const handled: string[] = [];
    const start = (group: string) =>
      bus.consume({
        group: `${topic} ${group}`,
        topics: [topic],
        handleBatch: ({ events }) => Promise.resolve(void handled.push(...events.map(({ id }) => `${group} ${id}`))),
      });
    const consumers = await Promise.all([start('one'), start('another'), start('stopped')]);
    const following = await bus.follow(topic, ({ headers }) => void handled.push(`follower ${headers?.['ce_id']}`));
    await Promise.all([following.caughtUp, ...consumers.map(({ joined }) => joined)]);
    const sent = [message(topic, { n: 1 }), message(topic, { n: 2 })] as const;
    const reaches = (name: string, { event }: Message) => handled.includes(`${name} ${event.id}`);
    await bus.publish([sent[0]]);
    await until(() => ['one', 'another', 'follower', 'stopped'].every(name => reaches(name, sent[0])));
    // A broker that was never used makes its coordinators first, and says so.
    const linesBefore = lines.length;
    await kafka.kill();
    await pause(2_000);
    const { error, ms } = await timed(consumers[2].stop());
    expect(error).toBeNull();
    expect(ms).toBeLessThan(8_000);
    await kafka.start();
    await bus.publish([sent[1]]);
    await until(() => ['one', 'another', 'follower'].every(name => reaches(name, sent[1])), 30_000);
    expect(reaches('stopped', sent[1])).toBe(false);
    const said = lines.slice(linesBefore);
    expect(said.length).toBeGreaterThan(0);
    expect(said.length).toBeLessThanOrEqual(6);
    expect(said).toEqual(said.map(() => expect.stringMatching(/^warn/)));
  }, 60_000);
});
