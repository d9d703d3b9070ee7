// Kafka, for the commands that need it. The others do not wait for its client to be loaded.
import type { EventBus } from '@reeve/event-bus';
import { Option } from 'commander';

export const brokersOption = (description: string) =>
  new Option('--brokers <host:port,…>', description).env('KAFKA_BROKERS').default('127.0.0.1:9092');

export async function connectKafka({ brokers }: { brokers: string }): Promise<EventBus> {
  const { createEventBus } = await import('@reeve/event-bus');
  return createEventBus({ brokers: brokers.split(','), clientId: 'reeve-cli' });
}
