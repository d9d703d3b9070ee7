// What a program needs to know to reach brokers, without their client: @reeve/event-bus/settings.
export { kafkaConnection } from './kafka-connection.ts';
export {
  type KafkaSettings,
  KafkaSettingsError,
  kafkaSettings,
  readKafkaSettings,
  wrongAboutKafka,
} from './kafka-settings.ts';
