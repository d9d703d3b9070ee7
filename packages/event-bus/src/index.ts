// The public face of @reeve/event-bus. What publishes to somebody else's cluster is at @reeve/event-bus/elsewhere.
export { decode } from './cloud-events.ts';
export type { ConnectionOptions, Sasl, Tls } from './connection.ts';
export type { Batch, ConsumerOptions, Received, RunningConsumer, SetAside } from './consumer.ts';
export type { DeadLetter } from './dead-letters.ts';
export { isKafkaUnavailable, PoisonMessageError } from './errors.ts';
export { createEventBus, type EventBus, type EventBusOptions } from './event-bus.ts';
export type { Following } from './follow.ts';
export type { Inspected } from './inspect.ts';
export type { Handlers } from './subscribe.ts';
