// Publishes to a topic of somebody else's cluster. A connection for each call: how often there is one is decided outside, and nothing of theirs outlives it.
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { Kafka, logLevel, Partitioners, type SASLOptions } from 'kafkajs';

export type Elsewhere = {
  brokers: string[];
  topic: string;
  sasl: { mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; username: string; password: string } | null;
  /**
   * Opens a connection by TLS, to a broker that was named or that one of them named: throws for an address that may not be reached. The cluster
   * chooses those addresses, so whoever calls decides here about each.
   */
  open: (to: { host: string; port: number }) => Socket;
};

export type ElsewhereProblem = 'unreachable' | 'unauthorized' | 'refused' | 'too_large';

export class ElsewhereError extends Error {
  readonly problem: ElsewhereProblem;

  constructor(problem: ElsewhereProblem, detail: string, options: { cause: unknown }) {
    super(detail, options);
    this.name = 'ElsewhereError';
    this.problem = problem;
  }
}

const connectionTimeoutMs = 5_000;
const requestTimeoutMs = 15_000;

/** All in order, acknowledged by all in-sync replicas when it resolves. Throws ElsewhereError; then some may be there. */
export async function publishElsewhere(
  { brokers, topic, sasl, open }: Elsewhere,
  messages: readonly { key: string; value: string; headers: Record<string, string> }[],
): Promise<void> {
  const kafka = new Kafka({
    brokers,
    clientId: `reeve-${randomUUID().slice(0, 8)}`,
    ssl: true,
    ...(sasl ? { sasl: sasl as SASLOptions } : {}),
    connectionTimeout: connectionTimeoutMs,
    requestTimeout: requestTimeoutMs,
    retry: { retries: 1, maxRetryTime: connectionTimeoutMs },
    logLevel: logLevel.NOTHING,
    socketFactory: ({ host, port, onConnect }) => {
      const socket = open({ host, port });
      socket.once('secureConnect', onConnect);
      return socket;
    },
  });
  const producer = kafka.producer({
    allowAutoTopicCreation: false,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  try {
    await producer.connect();
    await producer.send({ topic, acks: -1, messages: [...messages] });
  } catch (error) {
    throw new ElsewhereError(...problemOf(error), { cause: error });
  } finally {
    await producer.disconnect().catch(() => undefined);
  }
}

const byType: Record<string, ElsewhereProblem> = {
  SASL_AUTHENTICATION_FAILED: 'unauthorized',
  UNSUPPORTED_SASL_MECHANISM: 'unauthorized',
  TOPIC_AUTHORIZATION_FAILED: 'unauthorized',
  CLUSTER_AUTHORIZATION_FAILED: 'unauthorized',
  UNKNOWN_TOPIC_OR_PARTITION: 'refused',
  INVALID_TOPIC_EXCEPTION: 'refused',
  MESSAGE_TOO_LARGE: 'too_large',
  RECORD_LIST_TOO_LARGE: 'too_large',
};

/** What is wrong, looked for down to the first cause: retries wrap it. Nothing that a broker wrote is passed on. */
function problemOf(error: unknown): [ElsewhereProblem, string] {
  for (let one: unknown = error, depth = 0; one instanceof Error && depth < 5; depth += 1) {
    const { type, name } = one as Error & { type?: string };
    const problem = type === undefined ? undefined : byType[type];
    if (problem) return [problem, `the cluster answered ${type}`];
    if (name === 'KafkaJSSASLAuthenticationError') return ['unauthorized', 'the cluster does not take the credential'];
    const { cause, originalError } = one as { cause?: unknown; originalError?: unknown };
    one = cause ?? originalError;
  }
  return ['unreachable', 'no broker answers'];
}
