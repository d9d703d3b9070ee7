// Reads and replays what a consumer group has set aside.
import { deadLetterTopic } from '@reeve/contracts';
import { type Kafka, Partitioners } from 'kafkajs';

export type DeadLetter = {
  offset: string;
  key: string | null;
  value: Buffer | null;
  headers: Record<string, string>;
};

const idleMs = 3_000;

/** Everything in the dead letters of a topic and group, oldest first. Empty when there has never been one. */
export async function readDeadLetters(kafka: Kafka, topic: string, group: string): Promise<DeadLetter[]> {
  const dlq = deadLetterTopic(topic, group);
  const admin = kafka.admin();
  await admin.connect();
  const exists = (await admin.listTopics()).includes(dlq);
  const ends = exists ? await admin.fetchTopicOffsets(dlq) : [];
  await admin.disconnect();
  const expected = ends.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
  if (expected === 0) return [];
  const found: DeadLetter[] = [];
  const consumer = kafka.consumer({ groupId: `reeve.dead-letters.${process.pid}.${Date.now()}` });
  await consumer.connect();
  await consumer.subscribe({ topics: [dlq], fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    let timer = setTimeout(resolve, idleMs * 3);
    consumer
      .run({
        autoCommit: false,
        eachMessage: ({ message }) => {
          const headers = Object.fromEntries(
            Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]),
          );
          found.push({ offset: message.offset, key: message.key?.toString() ?? null, value: message.value, headers });
          clearTimeout(timer);
          if (found.length >= expected) resolve();
          else timer = setTimeout(resolve, idleMs);
          return Promise.resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return found;
}

/** Publishes dead letters to their topic again, with their own key and headers: consumers that have them already recognise the id. */
export async function replayDeadLetters(kafka: Kafka, topic: string, letters: readonly DeadLetter[]): Promise<void> {
  const producer = kafka.producer({
    allowAutoTopicCreation: false,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  const messages = letters.map(({ key, value, headers }) => ({
    key,
    value,
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('dlq-'))),
  }));
  await producer.send({ topic, acks: -1, messages });
  await producer.disconnect();
}
