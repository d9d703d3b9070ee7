// A consumer group. Partitions are handled one message after the other, and an offset is committed only after its
// effect. A transient failure pauses the partition and tries again with back-off, as long as it takes; a poison
// message goes to `<topic>.<group>.dlq` with its headers, its bytes and the reason. A failure of unknown kind is
// tried a few times first: a bug that met one message must not stop a tenant for ever.
import { context, metrics, SpanKind, trace } from '@opentelemetry/api';
import { type CloudEvent, deadLetterTopic, maxMessageBytes } from '@reeve/contracts';
import type { Admin, EachBatchPayload, KafkaMessage } from 'kafkajs';
import { decode, textHeaders, typeOf } from './cloud-events.ts';
import type { Connect } from './connection.ts';
import { isKafkaUnavailable, PoisonMessageError } from './errors.ts';
import { consumerRetry, keepConsuming } from './keep-consuming.ts';
import { producerOptions } from './producer-options.ts';
import { contextOf, linksTo } from './trace-links.ts';

export type Received = CloudEvent & { topic: string; partition: number; offset: string };
export type Batch = { topic: string; partition: number; events: readonly Received[] };

export type ConsumerOptions = {
  group: string;
  topics: readonly string[];
  /**
   * Handles the readable events of one fetch, in order. Must be idempotent: after a failure the same ones come again.
   */
  handleBatch: (batch: Batch) => Promise<void>;
  /** The types of events that it is for; all without. Others are passed over unread. */
  types?: readonly string[];
  /** Waits so long for so much before it takes what there is: where a batch costs as much as an event. */
  gather?: { ms: number; bytes: number };
  /** How many partitions are handled side by side; each stays in its order. One unless said otherwise. */
  partitionsAtOnce?: number;
  /** Told of each message that was set aside, before its offset is committed: idempotent as well. */
  handleSetAside?: (letter: SetAside) => Promise<void>;
};

/** A message that this group could not read, now in its dead letters. `headers` are those that it had. */
export type SetAside = {
  topic: string;
  partition: number;
  offset: string;
  timestamp: string;
  headers: Record<string, string>;
  code: string;
  reason: string;
};

export type ConsumerParts = {
  connect: Connect;
  /** That of the whole process, connected. */
  connectedAdmin: () => Promise<Admin>;
  /** True for a failure that will pass, such as a store that is down. kafkajs's own are known here. */
  isTransient: (error: unknown) => boolean;
  onError: (error: unknown, about: { group: string; topic: string; partition: number; waitMs: number }) => void;
};

const tracer = trace.getTracer('@reeve/event-bus');
const meter = metrics.getMeter('@reeve/event-bus');
const lag = meter.createGauge('reeve.consumer.lag', { description: 'Messages behind the end of the partition' });
const deadLetters = meter.createCounter('reeve.consumer.dead_letters', { description: 'Messages set aside as poison' });
const retries = meter.createCounter('reeve.consumer.retries', {
  description: 'Times a partition was paused to try again',
});

const delay = meter.createHistogram('reeve.consumer.delay', {
  unit: 's',
  description: 'From an event to the end of its handling, of the oldest event of each batch',
  advice: { explicitBucketBoundaries: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600] },
});

const asItComes = { ms: 2_000, bytes: 1 };
const heartbeatEveryMs = 2_000;
const unknownFailureAttempts = 5;
const firstWaitMs = 200;
const longestWaitMs = 15_000;
const lagEveryMs = 30_000;
/** To pass something over once more costs next to nothing, and to commit each time would be most of what it costs. */
const commitPassedOverEveryMs = 1_000;
const maxLinks = 64;

export type RunningConsumer = Awaited<ReturnType<typeof startConsumer>>;

export async function startConsumer(parts: ConsumerParts, options: ConsumerOptions) {
  const { connect, connectedAdmin, isTransient, onError } = parts;
  const { group, topics, types, handleBatch, handleSetAside, partitionsAtOnce = 1, gather = asItComes } = options;
  const wanted = types && new Set(types);
  // What says nothing of its type is looked at, and set aside.
  function isForIt(message: KafkaMessage): boolean {
    if (!wanted) return true;
    const type = typeOf(message);
    return !type || wanted.has(type);
  }
  const { kafka, cut } = connect();
  const producer = kafka.producer(producerOptions);
  // Per partition, since its last success: how often it failed, and how often for a reason that will not pass by
  // itself.
  const failed = new Map<string, { times: number; lasting: number }>();
  const resumeTimers = new Set<NodeJS.Timeout>();
  const inHand = new Set<Promise<boolean>>();
  let deadLetterReady: Promise<void> | undefined;
  let passedOver: Pick<EachBatchPayload, 'uncommittedOffsets' | 'commitOffsetsIfNecessary'> | undefined;

  async function setAside(topic: string, partition: number, message: KafkaMessage, error: PoisonMessageError) {
    deadLetterReady ??= producer.connect();
    try {
      await deadLetterReady;
    } catch (failure) {
      deadLetterReady = undefined;
      throw failure;
    }
    const dlq = deadLetterTopic(topic, group);
    const configEntries = [
      { name: 'retention.ms', value: '-1' },
      // The dead letter carries its reason besides.
      { name: 'max.message.bytes', value: String(maxMessageBytes + 65_536) },
    ];
    const admin = await connectedAdmin();
    await admin.createTopics({ topics: [{ topic: dlq, numPartitions: 1, configEntries }], waitForLeaders: true });
    const headers = {
      ...message.headers,
      'dlq-original-topic': topic,
      'dlq-original-partition': String(partition),
      'dlq-original-offset': message.offset,
      'dlq-original-timestamp': message.timestamp,
      'dlq-group': group,
      'dlq-reason-code': error.code,
      'dlq-reason': error.message,
    };
    await producer.send({ topic: dlq, acks: -1, messages: [{ key: message.key, value: message.value, headers }] });
    deadLetters.add(1, { group, topic, code: error.code });
    const { offset, timestamp } = message;
    await handleSetAside?.({
      topic,
      partition,
      offset,
      timestamp,
      headers: textHeaders(message.headers),
      code: error.code,
      reason: error.message,
    });
  }

  async function handle(batch: Batch) {
    const links = linksTo(batch.events, maxLinks);
    const first = batch.events[0];
    // A batch of one is a child, so that a trace reads as one story; more than one can only be linked.
    const parent = batch.events.length === 1 && first ? contextOf(first.traceparent) : context.active();
    const attributes = {
      'messaging.system': 'kafka',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': batch.topic,
      'messaging.destination.partition.id': String(batch.partition),
      'messaging.consumer.group.name': group,
      'messaging.batch.message_count': batch.events.length,
    };
    const span = tracer.startSpan(`process ${batch.topic}`, { kind: SpanKind.CONSUMER, attributes, links }, parent);
    try {
      await context.with(trace.setSpan(parent, span), () => handleBatch(batch));
    } finally {
      span.end();
    }
  }

  /**
   * Handles a run of messages together. What fails it is set aside only from a run of one, so that nothing is set
   * aside twice. False where it had nothing to do.
   */
  async function work(topic: string, partition: number, run: readonly KafkaMessage[]): Promise<boolean> {
    const messages = run.filter(isForIt);
    if (messages.length === 0) return false;
    const events = messages.map(message => ({ ...decode(message), topic, partition, offset: message.offset }));
    await handle({ topic, partition, events });
    const [oldest] = events;
    const sinceMs = Date.now() - Date.parse(oldest?.time ?? '');
    // A sender that names no time, or one to come, has no delay that could be known.
    if (sinceMs >= 0) delay.record(sinceMs / 1_000, { group, topic });
    return true;
  }

  async function eachBatch(payload: EachBatchPayload) {
    const { batch, resolveOffset, heartbeat, commitOffsetsIfNecessary, uncommittedOffsets, pause } = payload;
    const { isRunning, isStale } = payload;
    const { topic, partition } = batch;
    const place = `${topic}/${partition}`;
    let messages = batch.messages;
    const last = messages.at(-1);
    // After a failure that will not pass the messages go one by one, so that the one at fault is known.
    const alone = (failed.get(place)?.lasting ?? 0) > 0;
    while (messages.length > 0 && isRunning() && !isStale()) {
      const run = alone ? messages.slice(0, 1) : messages;
      const end = run.at(-1);
      // The group takes a member for dead that is silent for its session timeout, and a handler may need longer than
      // that.
      let hadEffect = true;
      const beat = setInterval(() => void heartbeat().catch(() => undefined), heartbeatEveryMs);
      try {
        const working = work(topic, partition, run);
        inHand.add(working);
        hadEffect = await working.finally(() => {
          inHand.delete(working);
          clearInterval(beat);
        });
      } catch (error) {
        const poison = error instanceof PoisonMessageError;
        const transient = !poison && (isTransient(error) || isKafkaUnavailable(error));
        const before = failed.get(place) ?? { times: 0, lasting: 0 };
        const now = { times: before.times + 1, lasting: before.lasting + (transient ? 0 : 1) };
        const hopeless = poison || now.lasting > unknownFailureAttempts;
        if (hopeless && run.length === 1 && run[0]) {
          const reason = poison
            ? error
            : new PoisonMessageError('handler_failed', error instanceof Error ? error.name : 'unknown');
          await setAside(topic, partition, run[0], reason);
        } else {
          failed.set(place, now);
          const waitMs = Math.min(longestWaitMs, firstWaitMs * 2 ** (now.times - 1));
          onError(error, { group, topic, partition, waitMs });
          retries.add(1, { group, topic });
          const resume = pause();
          const timer = setTimeout(() => {
            resumeTimers.delete(timer);
            resume();
          }, waitMs);
          resumeTimers.add(timer);
          return;
        }
      }
      failed.delete(place);
      if (end) resolveOffset(end.offset);
      messages = messages.slice(run.length);
      if (hadEffect) await commitOffsetsIfNecessary(uncommittedOffsets());
      else passedOver = { uncommittedOffsets, commitOffsetsIfNecessary };
      await heartbeat();
    }
    if (last)
      lag.record(Math.max(0, Number(batch.highWatermark) - 1 - Number(last.offset)), { group, topic, partition });
  }

  async function commitPassedOver() {
    if (!passedOver || inHand.size > 0) return;
    const { uncommittedOffsets, commitOffsetsIfNecessary } = passedOver;
    passedOver = undefined;
    // Of a consumer that is not there any more, or has lost the partition: whoever has it passes it over again.
    await commitOffsetsIfNecessary(uncommittedOffsets()).catch(() => undefined);
  }

  async function measureLag() {
    const admin = await connectedAdmin();
    for (const { topic, partitions } of await admin.fetchOffsets({ groupId: group, topics: [...topics] })) {
      const ends = await admin.fetchTopicOffsets(topic);
      for (const { partition, high } of ends) {
        const committed = Number(partitions.find(one => one.partition === partition)?.offset ?? -1);
        lag.record(Number(high) - Math.max(0, committed), { group, topic, partition });
      }
    }
  }

  const { promise: joined, resolve: hasJoined } = Promise.withResolvers<void>();
  const stopConsuming = await keepConsuming(connect, {
    topics,
    handled: () => Promise.allSettled(inHand),
    create(kafka) {
      const consumer = kafka.consumer({
        groupId: group,
        sessionTimeout: 10_000,
        heartbeatInterval: heartbeatEveryMs,
        rebalanceTimeout: 15_000,
        // The broker answers as soon as there is so much, and after that time with what there is.
        minBytes: gather.bytes,
        maxWaitTimeInMs: gather.ms,
        allowAutoTopicCreation: false,
        retry: consumerRetry,
      });
      consumer.on(consumer.events.GROUP_JOIN, () => hasJoined());
      return consumer;
    },
    eachBatch,
    eachBatchAutoResolve: false,
    // What has had an effect is committed at once, in eachBatch.
    autoCommit: false,
    partitionsConsumedConcurrently: partitionsAtOnce,
  }).catch((error: unknown) => {
    cut();
    throw error;
  });
  const passedOverTimer = setInterval(() => void commitPassedOver(), commitPassedOverEveryMs);
  passedOverTimer.unref();
  const lagTimer = setInterval(() => void measureLag().catch(() => undefined), lagEveryMs);
  lagTimer.unref();

  return {
    /** Resolves when the group has given this member its partitions for the first time. */
    joined,

    /** Finishes the batch in hand, commits, leaves the group. */
    async stop(): Promise<void> {
      clearInterval(lagTimer);
      clearInterval(passedOverTimer);
      for (const timer of resumeTimers) clearTimeout(timer);
      await stopConsuming();
      cut();
      await producer.disconnect().catch(() => undefined);
    },
  };
}
