// Kafka, for the commands that need it. The others do not wait for its client to be loaded.
import type { EventBus } from '@reeve/event-bus';
import { Option } from 'commander';
import { complain } from './api.ts';

/** Told by --help of commands that ask Kafka. */
export const securedBrokers = `
Brokers with TLS or SASL are reached by the variables that services have for it: KAFKA_SECURITY_PROTOCOL and what goes
with it (docs/configuration.md).`;

export const brokersOption = (description: string) =>
  new Option('--brokers <host:port,…>', description).env('KAFKA_BROKERS').default('127.0.0.1:9092');

/** Throws KafkaSettingsError where the environment does not say how. */
export async function connectKafka({ brokers }: { brokers: string }): Promise<EventBus> {
  const [{ createEventBus }, { kafkaConnection, readKafkaSettings }] = await Promise.all([
    import('@reeve/event-bus'),
    import('@reeve/event-bus/settings'),
  ]);
  const settings = readKafkaSettings({ ...process.env, KAFKA_BROKERS: brokers });
  return createEventBus({ ...kafkaConnection(settings), clientId: 'reeve-cli' });
}

/** Says what went wrong, and ends with 2 then. */
export async function withKafka(options: { brokers: string }, work: (bus: EventBus) => Promise<void>): Promise<void> {
  let bus: EventBus | undefined;
  try {
    bus = await connectKafka(options);
    await work(bus);
  } catch (error) {
    complain(error);
  } finally {
    await bus?.stop();
  }
}
