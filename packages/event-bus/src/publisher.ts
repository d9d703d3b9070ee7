// Publishes with acks from all in-sync replicas and an idempotent producer. Callers that wait at the same time share one request
// (group commit): the batch grows with the load and nobody waits for a timer.
import { propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Message } from '@reeve/contracts';
import { CompressionTypes, type Kafka, type PartitionerArgs, Partitioners, type Producer } from 'kafkajs';
import { LRUCache } from 'lru-cache';
import { type EncodedMessage, encode } from './cloud-events.ts';
import { contextOf, linksTo } from './trace-links.ts';

type Encoded = { message: Message; encoded: EncodedMessage };
type Waiting = { messages: readonly Message[]; resolve: () => void; reject: (error: unknown) => void };

const tracer = trace.getTracer('@reeve/event-bus');
/**
 * A broker refuses a batch that is larger than the topic's `max.message.bytes`, and all of a request may go to one partition. A message
 * that is larger by itself goes alone.
 */
const maxBytesPerRequest = 900_000;
const maxMessagesPerRequest = 2_000;
const maxLinks = 32;
const rememberedKeys = 10_000;
/** What a record takes besides key, value and headers, rounded up. */
const recordOverheadBytes = 100;

/** Kafka's own choice by the key, which takes kafkajs as long as the encoding, remembered for the keys in use. */
function createRememberingPartitioner() {
  const choose = Partitioners.DefaultPartitioner();
  const chosen = new LRUCache<string, number>({ max: rememberedKeys });
  return (of: PartitionerArgs): number => {
    const key = `${of.partitionMetadata.length} ${of.message.key}`;
    let partition = chosen.get(key);
    if (partition === undefined) {
      partition = choose(of);
      chosen.set(key, partition);
    }
    return partition;
  };
}

function sizeOf({ key, value, headers }: EncodedMessage): number {
  let bytes = key.length + value.length + recordOverheadBytes;
  for (const name in headers) bytes += name.length + Buffer.byteLength(headers[name] ?? '') + 4;
  return bytes;
}

/** Runs of messages, in order, each small enough for one request. */
function requestsOf(messages: readonly Message[]): Encoded[][] {
  const requests: Encoded[][] = [];
  let current: Encoded[] = [];
  let size = 0;
  for (const message of messages) {
    const encoded = encode(message.key, message.event);
    const bytes = sizeOf(encoded);
    if (current.length > 0 && (size + bytes > maxBytesPerRequest || current.length >= maxMessagesPerRequest)) {
      requests.push(current);
      [current, size] = [[], 0];
    }
    current.push({ message, encoded });
    size += bytes;
  }
  if (current.length > 0) requests.push(current);
  return requests;
}

/**
 * One message makes a child of what it tells of, so that a trace reads as one story; more can only be linked, and carry the context of
 * what they tell of (OpenTelemetry's conventions for batches). A span for each would cost as much as the encoding.
 */
function startSpan(request: readonly Encoded[]) {
  const attributes = {
    'messaging.system': 'kafka',
    'messaging.operation.name': 'send',
    'messaging.operation.type': 'send',
    'messaging.batch.message_count': request.length,
  };
  const [first] = request;
  if (first && request.length === 1) {
    const { topic, event } = first.message;
    const parent = contextOf(event.traceparent);
    const about = {
      'messaging.destination.name': topic,
      'messaging.message.id': event.id,
      'messaging.message.conversation_id': event.correlationId,
    };
    const span = tracer.startSpan(
      `send ${topic}`,
      { kind: SpanKind.PRODUCER, attributes: { ...attributes, ...about } },
      parent,
    );
    propagation.inject(trace.setSpan(parent, span), first.encoded.headers);
    return span;
  }
  const links = linksTo(
    request.map(({ message }) => message.event),
    maxLinks,
  );
  return tracer.startSpan('send', { kind: SpanKind.PRODUCER, attributes, links, root: true });
}

export function createPublisher(kafka: Kafka) {
  let producer: Promise<Producer> | undefined;
  let waiting: Waiting[] = [];
  let running: Promise<void> | undefined;

  async function connect(): Promise<Producer> {
    const fresh = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: createRememberingPartitioner,
      retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 8 },
    });
    await fresh.connect();
    return fresh;
  }

  /** A producer that failed may have lost its sequence with the broker; a new one starts clean. Consumers recognise a repetition by its id. */
  async function discard(failed: Promise<Producer>) {
    if (producer === failed) producer = undefined;
    await failed.then(
      broken => broken.disconnect(),
      () => undefined,
    );
  }

  async function send(request: readonly Encoded[]) {
    const byTopic = new Map<string, EncodedMessage[]>();
    for (const { message, encoded } of request) {
      const list = byTopic.get(message.topic);
      if (list) list.push(encoded);
      else byTopic.set(message.topic, [encoded]);
    }
    const span = startSpan(request);
    producer ??= connect();
    const using = producer;
    try {
      const topicMessages = [...byTopic].map(([topic, list]) => ({ topic, messages: list }));
      await (await using).sendBatch({ acks: -1, compression: CompressionTypes.None, topicMessages });
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      void discard(using);
      throw error;
    } finally {
      span.end();
    }
  }

  async function drain() {
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      try {
        for (const request of requestsOf(group.flatMap(({ messages }) => messages))) await send(request);
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    running = undefined;
  }

  return {
    /**
     * Resolves when every in-sync replica has the messages; messages with one key keep their order. Rejects with kafkajs's
     * error, and then it is not known whether they arrived: publish again with the same event ids.
     */
    publish(messages: readonly Message[]): Promise<void> {
      if (messages.length === 0) return Promise.resolve();
      return new Promise((resolve, reject) => {
        waiting.push({ messages, resolve, reject });
        running ??= Promise.resolve().then(drain);
      });
    },

    async stop(): Promise<void> {
      await running;
      if (producer) await discard(producer);
    },
  };
}
