// A group is set back to a time, over a real cluster: never forward, and not while somebody reads by it.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from '@jest/globals';
import { freshTopic, message, until } from './event-bus.test-support.ts';
import { createEventBus } from './event-bus.ts';

const brokers = process.env['REEVE_TEST_KAFKA'];
if (brokers === undefined) throw new Error('there is no Kafka: use `npm test`, which starts one');

const group = `rewind-${randomUUID()}`;
const open = () => createEventBus({ brokers: brokers.split(','), clientId: 'rewind' });
const writer = open();
afterAll(() => writer.stop());

/** Reads by the group until it has had so many, after that was done to it. */
async function read(
  topic: string,
  atLeast: number,
  beforeJoining?: (rewindTo: (time: Date) => Promise<boolean>) => Promise<void>,
): Promise<string[]> {
  const bus = createEventBus({
    brokers: String(brokers).split(','),
    clientId: 'rewind',
    ...(beforeJoining ? { beforeJoining: (_, rewindTo) => beforeJoining(rewindTo) } : {}),
  });
  const seen: string[] = [];
  await bus.consume({
    group,
    topics: [topic],
    handleBatch: async ({ events }) => void seen.push(...events.map(({ id }) => id)),
  });
  await until(() => seen.length >= atLeast);
  await sleep(500);
  await bus.stop();
  return seen;
}

test('what came since is read again, and nothing is skipped', async () => {
  const topic = await freshTopic(writer);
  const publish = async (count: number) => {
    const messages = Array.from({ length: count }, (_, index) => message(topic, { index }));
    await writer.publish(messages);
    return messages.map(({ event }) => event.id);
  };
  const first = await publish(3);
  expect(await read(topic, 3)).toEqual(first);

  // Control: a group goes on from where it was.
  const second = await publish(2);
  expect(await read(topic, 2)).toEqual(second);

  const answers: boolean[] = [];
  const again = await read(topic, 5, async rewindTo => void answers.push(await rewindTo(new Date())));
  expect([answers, again]).toEqual([[true], [...first, ...second]]);

  // As far back as time goes.
  const all = await read(topic, 5, async rewindTo => void (await rewindTo(new Date(0))));
  expect(all).toEqual([...first, ...second]);

  // Of a group that is behind, a time after that is no reason to go forward.
  const third = await publish(2);
  const inAnHour = new Date(Date.now() + 4_000_000);
  expect(await read(topic, 2, async rewindTo => void (await rewindTo(inAnHour)))).toEqual(third);
}, 60_000);

test('a group that somebody reads by is left as it is', async () => {
  const topic = await freshTopic(writer);
  const reader = open();
  const running = await reader.consume({ group, topics: [topic], handleBatch: async () => undefined });
  await running.joined;
  const refused = createEventBus({
    brokers: brokers.split(','),
    clientId: 'rewind',
    async beforeJoining(_, rewindTo) {
      expect(await rewindTo(new Date())).toBe(false);
      throw new Error('not joined');
    },
  });
  await expect(refused.consume({ group, topics: [topic], handleBatch: async () => undefined })).rejects.toThrow(
    'not joined',
  );
  await refused.stop();
  await reader.stop();
}, 60_000);
