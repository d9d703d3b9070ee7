// The public face of @reeve/event-bus.
export type { Batch, ConsumerOptions, Received, RunningConsumer, SetAside } from './consumer.ts';
export type { DeadLetter } from './dead-letters.ts';
export { isKafkaUnavailable, PoisonMessageError } from './errors.ts';
export { createEventBus, type EventBus, type EventBusOptions } from './event-bus.ts';
export { ElsewhereError, publishElsewhere } from './publish-elsewhere.ts';
export type { Handlers } from './subscribe.ts';
