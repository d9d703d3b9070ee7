// The topics of Reeve: what they carry, how they are keyed, partitioned and kept. Created by packages/event-bus.
const day = 86_400_000;

export type Topic = {
  summary: string;
  key: string;
  /** The services whose events are on it. Brokers with authorization take them from nobody else. */
  writers: readonly string[];
  partitions: number;
  /** Milliseconds; -1 keeps for ever, which a topic needs whose readers build their state from its beginning. */
  retentionMs: number;
  compacted: boolean;
};

export const topics = {
  'reeve.auth.v1': {
    summary: 'Sign-in, session, token, connection, domain and policy transitions',
    key: 'tenant id',
    writers: ['auth'],
    partitions: 3,
    retentionMs: 30 * day,
    compacted: false,
  },
  'reeve.directory.v1': {
    summary: 'Tenant, organization, workspace, user, identity, group, membership, role and invitation transitions',
    key: 'tenant id',
    writers: ['provisioning'],
    partitions: 3,
    retentionMs: -1,
    compacted: false,
  },
  'reeve.connector.v1': {
    summary: 'Installation, consent, delegated token and ownership transitions',
    key: 'tenant id',
    writers: ['connector-consent'],
    partitions: 3,
    retentionMs: -1,
    compacted: false,
  },
  'reeve.webhook.v1': {
    summary: 'Webhook endpoint and delivery transitions, never a payload',
    key: 'tenant id',
    writers: ['webhook-ingress'],
    partitions: 3,
    retentionMs: 30 * day,
    compacted: false,
  },
  'reeve.webhook.payloads.v1': {
    summary: 'Accepted webhook bodies, byte for byte, for the product',
    key: 'tenant id:endpoint id:ordering key',
    writers: ['webhook-ingress'],
    partitions: 3,
    retentionMs: 7 * day,
    compacted: false,
  },
  'reeve.secret.v1': {
    summary: 'Every access to token material',
    key: 'tenant id',
    writers: ['auth', 'connector-consent', 'webhook-ingress', 'audit'],
    partitions: 3,
    retentionMs: 30 * day,
    compacted: false,
  },
  'reeve.revocations.v1': {
    summary: 'What is revoked and until when that matters, for verifiers',
    key: 'session or user id',
    writers: ['auth'],
    partitions: 1,
    retentionMs: -1,
    compacted: true,
  },
  'reeve.activity.v1': {
    summary: "What people do with the audit log itself: reads, exports, and the audit service's own transitions",
    key: 'tenant id',
    writers: ['auth', 'provisioning', 'connector-consent', 'webhook-ingress', 'audit'],
    partitions: 3,
    retentionMs: 30 * day,
    compacted: false,
  },
  'reeve.audit.v1': {
    summary: 'Chained audit records as OCSF 1.8.0',
    key: 'tenant id',
    writers: ['audit'],
    partitions: 3,
    retentionMs: 30 * day,
    compacted: false,
  },
  'reeve.alert.v1': {
    summary: 'Anomalies with their evidence',
    key: 'tenant id',
    writers: ['audit'],
    partitions: 3,
    retentionMs: 30 * day,
    compacted: false,
  },
} as const satisfies Record<string, Topic>;

export type TopicName = keyof typeof topics;

/** A webhook of one megabyte, with its headers and those of the event, has to fit. */
export const maxMessageBytes = 2_097_152;

/** The topics whose events audit chains: all that carry the identity head. */
export const auditedTopics = [
  'reeve.auth.v1',
  'reeve.directory.v1',
  'reeve.connector.v1',
  'reeve.webhook.v1',
  'reeve.secret.v1',
  'reeve.activity.v1',
] as const satisfies readonly TopicName[];

/** Where a consumer group puts what it cannot read. Kept for good: somebody has to decide. */
export function deadLetterTopic(topic: string, group: string): string {
  return `${topic}.${group}.dlq`;
}
