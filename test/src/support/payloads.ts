// The product: whoever reads `reeve.webhook.payloads.v1`.
import { randomUUID } from 'node:crypto';
import type { Credentials } from '@reeve/local/system';
import { Kafka, logLevel } from 'kafkajs';

export type Payload = { eventId: string; type: string; key: string; body: string; contentType: string };

const quietMs = 2_000;

/**
 * Everything on the topic for an endpoint, in the order of its partitions: waits until there are `count`, then until nothing more comes for a while,
 * so that what is there twice is seen.
 */
export async function payloadsOf(
  { kafka: broker }: Pick<Credentials, 'kafka'>,
  endpointId: string,
  { count, withinMs = 60_000 }: { count: number; withinMs?: number },
): Promise<Payload[]> {
  const kafka = new Kafka({ brokers: [broker], clientId: 'product', logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: `product.${randomUUID()}`, maxWaitTimeInMs: 200 });
  const found: Payload[] = [];
  let lastAt = Date.now();
  await consumer.connect();
  await consumer.subscribe({ topics: ['reeve.webhook.payloads.v1'], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: ({ message: { key, value, headers } }) => {
      const text = key?.toString() ?? '';
      if (text.split(':')[1] === endpointId) {
        const header = (name: string) => String(headers?.[name]);
        found.push({
          eventId: header('ce_id'),
          type: header('ce_type'),
          key: text,
          body: value?.toString() ?? '',
          contentType: header('content-type'),
        });
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
