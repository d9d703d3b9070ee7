// The AsyncAPI 3 document of the topics.
import { revocationSchema } from '../events/revocation.ts';
import { type TopicName, topics } from '../topics.ts';
import { fileOf, type JsonSchema, schemaOf, schemasByTopic } from './event-schemas.ts';

const text = { type: 'string' };
const hash = { ...text, pattern: '^[0-9a-f]{64}$' };
const ocsfBase = ['activity_id', 'category_uid', 'class_uid', 'metadata', 'severity_id', 'time', 'type_uid'];

const headers: JsonSchema = {
  type: 'object',
  description: 'CloudEvents 1.0 in Kafka binary mode, and W3C trace context',
  required: [
    'ce_specversion',
    'ce_id',
    'ce_source',
    'ce_type',
    'ce_subject',
    'ce_time',
    'ce_tenantid',
    'ce_correlationid',
    'content-type',
  ],
  properties: {
    ce_specversion: { const: '1.0' },
    ce_id: { ...text, format: 'uuid', description: 'UUIDv7, stamped when the thing happened; a redelivery keeps it' },
    ce_source: text,
    ce_type: text,
    ce_subject: text,
    ce_time: { ...text, format: 'date-time' },
    ce_tenantid: text,
    ce_correlationid: text,
    ce_causationid: { ...text, description: 'The event that this one follows from' },
    traceparent: text,
    'content-type': text,
  },
};

/** Topics whose values have no schema of ours: the partner's bytes, the standard's events, the revocation. */
const foreign: Partial<Record<TopicName, { name: string; contentType: string; payload: JsonSchema }[]>> = {
  'reeve.webhook.payloads.v1': [
    {
      name: 'webhook.payload',
      contentType: 'application/octet-stream',
      payload: { description: 'The bytes that the partner sent' },
    },
  ],
  'reeve.audit.v1': [
    {
      name: 'audit.record',
      contentType: 'application/json',
      payload: {
        type: 'object',
        description: 'A chained record as an OCSF 1.8.0 event, in the order of its chain; docs/audit-format.md',
        required: [...ocsfBase, 'unmapped', 'raw_data'],
        properties: {
          unmapped: {
            type: 'object',
            required: ['tenant', 'chain', 'sequence', 'previous_hash', 'hash', 'key_id'],
            properties: {
              tenant: text,
              chain: text,
              sequence: { type: 'integer', minimum: 1 },
              previous_hash: hash,
              hash,
              key_id: text,
            },
          },
          raw_data: { ...text, description: 'The canonical record, byte for byte what was hashed' },
        },
      },
    },
    {
      name: 'checkpoint.signed',
      contentType: 'application/json',
      payload: {
        type: 'object',
        description: 'Where the log of the tenant stands, as an OCSF 1.8.0 event of class 3004',
        required: [...ocsfBase, 'raw_data'],
        properties: { raw_data: { ...text, description: 'The checkpoint: a compact JWS' } },
      },
    },
  ],
  'reeve.revocations.v1': [
    {
      name: 'revocation',
      contentType: 'application/json',
      payload: schemaOf(revocationSchema),
    },
  ],
};
const idOf = (name: string) => name.replaceAll(/[^a-zA-Z0-9]/g, '_');

/** Payloads refer to the schemas that lie beside it. */
export function asyncApiDocument(): JsonSchema {
  const schemas = schemasByTopic();
  const channels: JsonSchema = {};
  const operations: JsonSchema = {};
  const messages: JsonSchema = {};
  for (const [topic, { summary, key, partitions, retentionMs, compacted }] of Object.entries(topics) as [
    TopicName,
    (typeof topics)[TopicName],
  ][]) {
    const own = Object.keys(schemas.get(topic)?.$defs ?? {}).map(name => ({
      name,
      contentType: 'application/json',
      payload: { $ref: `./schemas/${fileOf(topic)}#/$defs/${name}` },
    }));
    const all = [...own, ...(foreign[topic] ?? [])];
    for (const { name, contentType, payload } of all) {
      const keySchema = { ...text, description: key };
      messages[`${idOf(topic)}__${idOf(name)}`] = {
        name,
        contentType,
        headers: { $ref: '#/components/schemas/headers' },
        payload,
        bindings: { kafka: { key: keySchema } },
      };
    }
    const channel = `#/channels/${idOf(topic)}`;
    channels[idOf(topic)] = {
      address: topic,
      description: summary,
      messages: Object.fromEntries(
        all.map(({ name }) => [idOf(name), { $ref: `#/components/messages/${idOf(topic)}__${idOf(name)}` }]),
      ),
      bindings: {
        kafka: {
          partitions,
          topicConfiguration: { 'cleanup.policy': [compacted ? 'compact' : 'delete'], 'retention.ms': retentionMs },
        },
      },
    };
    operations[`read_${idOf(topic)}`] = {
      action: 'send',
      channel: { $ref: channel },
      summary: `Reeve publishes: ${summary}`,
    };
  }
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Reeve topics',
      version: '1.0.0',
      description: 'Generated from packages/contracts. Changes are additive; a breaking change is a new topic.',
    },
    channels,
    operations,
    components: { schemas: { headers }, messages },
  };
}
