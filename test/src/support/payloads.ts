// The product: whoever reads `reeve.webhook.payloads.v1`.
import { randomUUID } from 'node:crypto';
import type { TopicName } from '@reeve/contracts';
import type { Credentials } from '@reeve/local/system';
import { Kafka, logLevel } from 'kafkajs';

export type Payload = {
  eventId: string;
  type: string;
  subject: string;
  key: string;
  body: string;
  contentType: string;
};

type Reading = { count: number; withinMs?: number };

const quietMs = 2_000;

/**
 * Everything on the topic for an endpoint, in the order of its partitions: waits until there are `count`, then until
 * nothing more comes for a while, so that what is there twice is seen.
 */
export const payloadsOf = (credentials: Pick<Credentials, 'kafka'>, endpointId: string, reading: Reading) =>
  messagesOn(credentials, 'reeve.webhook.payloads.v1', {
    ...reading,
    isWanted: ({ key }) => key.split(':')[1] === endpointId,
  });

/** The same of any topic. */
export async function messagesOn(
  { kafka: broker }: Pick<Credentials, 'kafka'>,
  topic: TopicName,
  { isWanted, count, withinMs = 60_000 }: Reading & { isWanted: (message: Payload) => boolean },
): Promise<Payload[]> {
  const kafka = new Kafka({ brokers: [broker], clientId: 'product', logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: `product.${randomUUID()}`, maxWaitTimeInMs: 200 });
  const found: Payload[] = [];
  let lastAt = Date.now();
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: ({ message: { key, value, headers } }) => {
      const header = (name: string) => String(headers?.[name]);
      const message = {
        eventId: header('ce_id'),
        type: header('ce_type'),
        subject: header('ce_subject'),
        key: key?.toString() ?? '',
        body: value?.toString() ?? '',
        contentType: header('content-type'),
      };
      if (isWanted(message)) {
        found.push(message);
        lastAt = Date.now();
      }
      return Promise.resolve();
    },
  });
  const end = Date.now() + withinMs;
  while (Date.now() < end && (found.length < count || Date.now() - lastAt < quietMs))
    await new Promise(r => setTimeout(r, 100));
  await consumer.disconnect();
  return found;
}
