// Publishes to a topic of somebody else's cluster. A connection for each call: how often there is one is decided
// outside, and no socket outlives it.
//
// The client was not written for a peer that lies: four zero bytes make it throw where nobody can catch it, and an
// answer can make it build whatever fills the heap. So whoever calls does it in a process that may end. That is why
// this is a door of its own, and not in `index.ts`.
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { Kafka, logLevel, type SASLOptions } from 'kafkajs';
import './bounded-decoder.ts';
import { producerOptions } from './producer-options.ts';

export type Elsewhere = {
  brokers: string[];
  topic: string;
  sasl: { mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; username: string; password: string } | null;
  /**
   * Opens a connection by TLS, to a broker that was named or that one of them named: throws for an address that may not
   * be reached. The cluster chooses those addresses, so whoever calls decides here about each.
   */
  open: (to: { host: string; port: number }) => Socket;
};

export type ElsewhereProblem = 'unreachable' | 'unauthorized' | 'refused' | 'too_large' | 'protocol';

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
/**
 * From one connection: metadata of one topic, and acknowledgements. The client keeps what it has of a message that is
 * not complete, however long it says that it will be.
 */
const mostBytes = 1_000_000;

/**
 * All in order, acknowledged by all in-sync replicas when it resolves. Throws ElsewhereError; then some may be there.
 */
export async function publishElsewhere(
  { brokers, topic, sasl, open }: Elsewhere,
  messages: readonly { key: string; value: string; headers: Record<string, string> }[],
): Promise<void> {
  const sockets = new Set<Socket>();
  let isFlooded = false;
  const openBounded = (to: { host: string; port: number }) => {
    const socket = open(to);
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= mostBytes) return;
      isFlooded = true;
      socket.destroy(new Error('it says too much'));
    });
    return socket;
  };
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
      const socket = openBounded({ host, port });
      socket.once('secureConnect', onConnect);
      return socket;
    },
  });
  const producer = kafka.producer(producerOptions);
  try {
    await producer.connect();
    await producer.send({ topic, acks: -1, messages: [...messages] });
    await producer.disconnect().catch(() => undefined);
  } catch (error) {
    throw new ElsewhereError(...(isFlooded ? nonsense : problemOf(error)), { cause: error });
  } finally {
    // The client ends its half of a connection and leaves the other to the peer.
    for (const socket of sockets) socket.destroy();
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

const nonsense: [ElsewhereProblem, string] = ['protocol', 'it does not answer as a cluster does'];

/** What is wrong, looked for down to the first cause: retries wrap it. Nothing that a broker wrote is passed on. */
function problemOf(error: unknown): [ElsewhereProblem, string] {
  for (let one: unknown = error, depth = 0; one instanceof Error && depth < 5; depth += 1) {
    const { type, name } = one as Error & { type?: string };
    const problem = type === undefined ? undefined : byType[type];
    if (problem) return [problem, `the cluster answered ${type}`];
    if (name === 'KafkaJSSASLAuthenticationError') return ['unauthorized', 'the cluster does not take the credential'];
    // It read on behind the end of an answer.
    if (one instanceof RangeError) return nonsense;
    const { cause, originalError } = one as { cause?: unknown; originalError?: unknown };
    one = cause ?? originalError;
  }
  return ['unreachable', 'no broker answers'];
}
