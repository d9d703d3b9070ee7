// Topics of Reeve as somebody else's program sees them, which may write what it likes.
import type { Credentials } from '@reeve/local/system';
import { Kafka, logLevel, type Message } from 'kafkajs';

export async function openTopics({ kafka: broker }: Pick<Credentials, 'kafka'>) {
  const kafka = new Kafka({ brokers: [broker], clientId: 'somebody', logLevel: logLevel.NOTHING });
  const [producer, admin] = [kafka.producer(), kafka.admin()];
  await Promise.all([producer.connect(), admin.connect()]);
  return {
    write: async (topic: string, message: Message) => void (await producer.send({ topic, messages: [message] })),
    /** How many there have been; none on a topic that is not there. */
    async count(topic: string): Promise<number> {
      const ends = await admin.fetchTopicOffsets(topic).catch(() => []);
      return ends.reduce((sum, { high }) => sum + Number(high), 0);
    },
    close: async () => void (await Promise.all([producer.disconnect(), admin.disconnect()])),
  };
}
