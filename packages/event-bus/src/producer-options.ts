import { Partitioners, type ProducerConfig } from 'kafkajs';

/** No topic is made by publishing to it, and the partition is Kafka's own choice by the key. */
export const producerOptions: ProducerConfig = {
  allowAutoTopicCreation: false,
  createPartitioner: Partitioners.DefaultPartitioner,
};
