import { Option } from 'commander';

export const brokersOption = (description: string) =>
  new Option('--brokers <host:port,…>', description).env('KAFKA_BROKERS').default('127.0.0.1:9092');
