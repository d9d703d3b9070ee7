// Publishes with acks from all in-sync replicas and an idempotent producer. Callers that wait at the same time share
// one request (group commit): the batch grows with the load and nobody waits for a timer. What a caller may publish
// until a certain moment is not sent after it, however long this process was held up, since another one may be
// publishing it by then.
import { propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Message } from '@reeve/contracts';
import { CompressionTypes, type PartitionerArgs, Partitioners, type Producer } from 'kafkajs';
import { LRUCache } from 'lru-cache';
import { type EncodedMessage, encode } from './cloud-events.ts';
import type { Connect, Connection } from './connection.ts';
import { PublishDeadlineError } from './errors.ts';
import { contextOf, linksTo } from './trace-links.ts';

type Encoded = { message: Message; encoded: EncodedMessage };
type Waiting = {
  messages: readonly Message[];
  before: number;
  resolve: () => void;
  reject: (error: unknown) => void;
};

const tracer = trace.getTracer('@reeve/event-bus');
/**
 * A broker refuses a batch that is larger than the topic's `max.message.bytes`, and all of a request may go to one
 * partition. A message that is larger by itself goes alone.
 */
const maxBytesPerRequest = 900_000;
const maxMessagesPerRequest = 2_000;
const maxLinks = 32;
const rememberedKeys = 10_000;
/** That of setTimeout. */
const longestTimerMs = 2 ** 31 - 1;
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
 * One message makes a child of what it tells of, so that a trace reads as one story; more can only be linked, and
 * carry the context of what they tell of (OpenTelemetry's conventions for batches). A span for each would cost as
 * much as the encoding.
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

type Line = Pick<Connection, 'sendUntil' | 'cut'> & { producer: Promise<Producer> };

export function createPublisher(connect: Connect) {
  let current: Line | undefined;
  let waiting: Waiting[] = [];
  let running: Promise<void> | undefined;

  function open(): Line {
    const { kafka, sendUntil, cut } = connect();
    const producer = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: createRememberingPartitioner,
    });
    return { sendUntil, cut, producer: producer.connect().then(() => producer) };
  }

  /**
   * A producer that failed may have lost its sequence with the broker; a new one starts clean, and consumers
   * recognise a repetition by its id.
   */
  function discard(failed: Line) {
    if (current === failed) current = undefined;
    failed.cut();
  }

  async function send(request: readonly Encoded[], before: number) {
    const byTopic = new Map<string, EncodedMessage[]>();
    for (const { message, encoded } of request) {
      const list = byTopic.get(message.topic);
      if (list) list.push(encoded);
      else byTopic.set(message.topic, [encoded]);
    }
    const span = startSpan(request);
    current ??= open();
    const line = current;
    line.sendUntil(before);
    try {
      const topicMessages = [...byTopic].map(([topic, list]) => ({ topic, messages: list }));
      const sent = line.producer.then(producer =>
        producer.sendBatch({ acks: -1, compression: CompressionTypes.None, topicMessages }),
      );
      await inTime(sent, before);
      line.sendUntil(Infinity);
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      discard(line);
      throw error;
    } finally {
      span.end();
    }
  }

  async function drain() {
    while (waiting.length > 0) {
      // Whoever is late by now hears so by the timer of its own.
      const group = waiting.filter(one => Date.now() < one.before);
      waiting = [];
      try {
        const before = Math.min(...group.map(one => one.before));
        for (const request of requestsOf(group.flatMap(({ messages }) => messages))) await send(request, before);
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    running = undefined;
  }

  return {
    /**
     * Resolves when every in-sync replica has the messages; messages with one key keep their order. Rejects with
     * kafkajs's error, or with PublishDeadlineError, and then it is not known whether they arrived: publish again
     * with the same event ids. Nothing is sent after `before`, in milliseconds since the epoch. Those who share a
     * request share the earliest of these moments.
     */
    async publish(messages: readonly Message[], { before = Infinity }: { before?: number } = {}): Promise<void> {
      if (messages.length === 0) return;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const one = { messages, before, resolve, reject };
      waiting.push(one);
      running ??= Promise.resolve().then(drain);
      try {
        await inTime(promise, before);
      } catch (error) {
        // Others may be in front of it for longer than it can wait.
        waiting = waiting.filter(other => other !== one);
        throw error;
      }
    },

    async stop(): Promise<void> {
      await running;
      const last = current;
      current = undefined;
      await last?.producer.then(producer => producer.disconnect()).catch(() => undefined);
      last?.cut();
    },
  };
}

/** The client would go on trying for a while: nobody waits for that. */
async function inTime<T>(work: Promise<T>, before: number): Promise<T> {
  if (before === Infinity) return await work;
  const { promise: late, reject } = Promise.withResolvers<never>();
  const leftMs = Math.min(Math.max(0, before - Date.now()), longestTimerMs);
  const timer = setTimeout(() => reject(new PublishDeadlineError()), leftMs);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}
