// A place outside that a tenant's log is pushed to. The sink is what somebody configured; its run is where the delivery stands. Two documents, since
// the run changes with every batch and the sink only when a person changes it.
import { type FormatName, formats } from '@reeve/audit-log';
import { type EventType, eventTypes, topicOf } from '@reeve/contracts';
import type { Collections, Store } from '@reeve/store';
import { z } from 'zod';
import type { Position } from '../feed/read-after.ts';
import { type Lease, leaseFor } from '../lease.ts';

const url = z.url({ protocol: /^https?$/ }).max(1_000);
const formatNames = Object.keys(formats) as [FormatName, ...FormatName[]];

const ca = z
  .string()
  .max(20_000)
  .optional()
  .describe('PEM of the authority that signed its certificate, where that is not a public one');

export const target = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('https'),
    url,
    format: z.enum(formatNames).default('ocsf').describe('Of the lines in a request'),
  }),
  z.strictObject({
    kind: z.literal('splunk_hec'),
    url: url.describe('Of the collector, as https://splunk.example.org:8088'),
    acknowledge: z.boolean().default(true).describe('Wait until the indexer has it; the token has to allow that'),
  }),
  z.strictObject({
    kind: z.literal('elasticsearch'),
    url,
    dataStream: z.string().regex(/^[a-z0-9][a-z0-9_.-]{0,200}$/, 'must be the name of a data stream'),
  }),
  z.strictObject({
    kind: z.literal('syslog_tls'),
    host: z.string().regex(/^[A-Za-z0-9.:-]{1,253}$/, 'must be a host name or an address'),
    port: z.number().int().min(1).max(65_535).default(6_514),
    ca,
  }),
  z.strictObject({
    kind: z.literal('s3'),
    url: url.describe('Of the store, as https://s3.eu-central-1.amazonaws.com'),
    bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of a bucket'),
    region: z
      .string()
      .regex(/^[a-z0-9-]{1,50}$/, 'must be a region')
      .default('us-east-1'),
    prefix: z
      .string()
      .regex(/^([A-Za-z0-9_.=-]{1,100}\/){0,10}$/, 'must be empty, or end with a slash')
      .default(''),
  }),
  z.strictObject({
    kind: z.literal('kafka'),
    brokers: z
      .array(z.string().regex(/^[A-Za-z0-9.-]{1,253}:\d{1,5}$/, 'must be host:port'))
      .min(1)
      .max(20)
      .describe('Some of the brokers of the cluster; all of them are reached by TLS'),
    topic: z.string().regex(/^[a-zA-Z0-9._-]{1,249}$/, 'must be the name of a topic, which has to be there'),
    sasl: z
      .strictObject({
        mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']),
        username: z.string().min(1).max(200),
      })
      .nullable()
      .default(null),
    ca,
    format: z.enum(formatNames).default('ocsf').describe('Of a message'),
  }),
]);

export type Target = z.infer<typeof target>;
export type TargetOf<K extends Target['kind']> = Extract<Target, { kind: K }>;

export const types = z
  .array(z.enum(Object.keys(eventTypes) as [EventType, ...EventType[]]))
  .min(1)
  .max(100)
  .describe(
    'Only records of these types, as ["alert.raised"] for a place that notifies; the whole log where it is left out',
  );

export type Sink = { name: string; target: Target; types?: EventType[]; createdAt: string; deletedAt?: string };

/** Whether a chain may hold what the sink takes. */
export const takesChain = ({ types: only }: Sink, chain: string): boolean =>
  !only || only.some(type => chain.startsWith(`${topicOf(type)}/`));

/** Whether the sink takes a record. One that takes only some gets no statements either: it cannot show that nothing is missing. */
export const takesType = ({ types: only }: Sink, type: string): boolean => !only || only.some(one => one === type);

export type SinkFailure = { code: string; detail: string; at: string };

export type Run = {
  status: 'active' | 'paused';
  position: Position;
  /** Number of the last checkpoint that was sent along. */
  checkpoint: number;
  dueAt: string | null;
  /** Who delivers at the moment, and until when nobody else does. */
  lease: Lease;
  /** Failures since the last success. */
  attempts: number;
  /** Records at a time: halved by a receiver that finds them too many. */
  batchSize: number;
  delivered: number;
  refused: number;
  lastDeliveredAt: string | null;
  lastError: SinkFailure | null;
};

export type Sinks = Collections<Sink>;
export type Runs = Collections<Run>;

const fullBatch = 500;
const firstWaitMs = 1_000;
const longestWaitMs = 300_000;
/** A failure or two happen; the log is told of the third. */
export const tellAfter = 3;

export function defineSinks(store: Store): Sinks {
  return store.collections<Sink>({
    name: 'audit_sinks',
    unique: { name: ({ name, deletedAt }) => (deletedAt === undefined ? name.toLowerCase() : null) },
    queries: { inOrder: { equality: [] } },
    expiresAt: ({ deletedAt }) => (deletedAt === undefined ? null : new Date(deletedAt)),
  });
}

export function defineRuns(store: Store): Runs {
  return store.collections<Run>({
    name: 'audit_sink_runs',
    dueAt: ({ status, dueAt }) => (status === 'active' && dueAt !== null ? new Date(dueAt) : null),
  });
}

export const newRun = (position: Position, now: Date): Run => ({
  status: 'active',
  position,
  checkpoint: 0,
  dueAt: now.toISOString(),
  lease: null,
  attempts: 0,
  batchSize: fullBatch,
  delivered: 0,
  refused: 0,
  lastDeliveredAt: null,
  lastError: null,
});

/** Null while somebody else has it, or nothing is to be done. */
export function lease(run: Run, by: Parameters<typeof leaseFor>[1]): Run | null {
  const taken = run.status === 'paused' ? null : leaseFor(run.lease, by);
  return taken && { ...run, lease: taken, dueAt: taken.until };
}

export function afterDelivery(
  run: Run,
  {
    position,
    checkpoint,
    delivered,
    refused,
    now,
  }: Pick<Run, 'position' | 'checkpoint' | 'delivered' | 'refused'> & { now: Date },
): Run {
  const growing = Math.min(fullBatch, run.batchSize * 2);
  return {
    ...run,
    position,
    checkpoint,
    delivered: run.delivered + delivered,
    refused: run.refused + refused,
    attempts: 0,
    batchSize: growing,
    lastDeliveredAt: delivered > 0 ? now.toISOString() : run.lastDeliveredAt,
    lastError: null,
  };
}

/** Waits longer each time, up to five minutes; as long as the receiver asks, where it does. */
export function afterFailure(
  run: Run,
  {
    failure,
    retryAfterMs,
    tooLarge,
    now,
    jitter,
  }: { failure: SinkFailure; retryAfterMs?: number | undefined; tooLarge: boolean; now: Date; jitter: number },
): Run {
  const backOff = Math.min(longestWaitMs, firstWaitMs * 2 ** run.attempts) * (0.5 + jitter / 2);
  const waitMs = tooLarge ? 0 : Math.max(backOff, Math.min(retryAfterMs ?? 0, longestWaitMs));
  return {
    ...run,
    lease: null,
    attempts: run.attempts + 1,
    batchSize: tooLarge ? Math.max(1, Math.floor(run.batchSize / 2)) : run.batchSize,
    lastError: failure,
    dueAt: new Date(now.getTime() + waitMs).toISOString(),
  };
}
