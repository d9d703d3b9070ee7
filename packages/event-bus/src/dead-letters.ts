// Reads and replays what a consumer group has set aside.
import { deadLetterTopic } from '@reeve/contracts';
import type { Admin, Kafka } from 'kafkajs';
import { textHeaders } from './cloud-events.ts';
import { producerOptions } from './producer-options.ts';
import { readToEnd } from './read-to-end.ts';

export type DeadLetter = {
  offset: string;
  key: string | null;
  value: Buffer | null;
  headers: Record<string, string>;
};

/** Everything in the dead letters of a topic and group, oldest first. Empty when there has never been one. */
export async function readDeadLetters(
  parts: { kafka: Kafka; admin: Admin },
  topic: string,
  group: string,
): Promise<DeadLetter[]> {
  const dlq = deadLetterTopic(topic, group);
  const found: DeadLetter[] = [];
  if (!(await parts.admin.listTopics()).includes(dlq)) return found;
  await readToEnd(parts, {
    topics: [dlq],
    each({ message: { offset, key, value, headers } }) {
      found.push({ offset, key: key?.toString() ?? null, value, headers: textHeaders(headers) });
    },
  });
  return found;
}

/**
 * Publishes dead letters to their topic again, with their own key and headers: consumers that have them already
 * recognise the id.
 */
export async function replayDeadLetters(kafka: Kafka, topic: string, letters: readonly DeadLetter[]): Promise<void> {
  const producer = kafka.producer(producerOptions);
  await producer.connect();
  const messages = letters.map(({ key, value, headers }) => ({
    key,
    value,
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('dlq-'))),
  }));
  await producer.send({ topic, acks: -1, messages });
  await producer.disconnect();
}
