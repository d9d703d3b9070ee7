// The floor of audit ingest: bare `eachBatch`, JSON.parse, `insertMany`: documents with the same values in the same
// indexes, made by the service's own definition, so that MongoDB has the same to do. No chain, no hash, no head, no
// publication, no rule. Prints the time from the first batch to the last event as JSON and ends.
import type { AuditRecord } from '@reeve/audit-log';
import { openStore } from '@reeve/store';
import { Kafka, logLevel } from 'kafkajs';
import { MongoClient } from 'mongodb';
import { records as definition } from '../../../services/audit/src/log/record.ts';
import { searchFieldsOf } from '../../../services/audit/src/log/search-fields.ts';

const { KAFKA_BROKERS = '', MONGODB_URI = '', TOPIC = '', COUNT = '0' } = process.env;
const database = 'bench_floor';
const store = openStore({
  uri: MONGODB_URI,
  database,
  source: '/bench',
  contents: { collections: [definition] },
});
const mongo = new MongoClient(MONGODB_URI, { w: 'majority', journal: true });
await mongo.db(database).dropDatabase();
await store.prepare();
const records = mongo.db(database).collection<{ _id: string }>(definition.name);

type Headers = Record<string, Buffer | string | undefined>;

function documentOf(value: string, headers: Headers, { chain, offset }: { chain: string; offset: string }) {
  const header = (name: string) => String(headers[`ce_${name}`]);
  const [id, tenantId] = [header('id'), header('tenantid')];
  const record = {
    ...(JSON.parse(value) as Pick<AuditRecord, 'actor' | 'target' | 'outcome' | 'reason' | 'context' | 'details'>),
    tenantId,
    chain,
    sequence: Number(offset),
    previousHash: '',
    eventId: id,
    type: header('type'),
    source: header('source'),
    subject: header('subject'),
    time: header('time'),
    correlationId: header('correlationid'),
    causationId: null,
    traceId: null,
  };
  return {
    _id: `${tenantId}:${id}`,
    tenantId,
    id,
    version: 1,
    outbox: [],
    unique: { place: `${tenantId}|${chain}#${offset}` },
    changedAt: new Date(),
    state: {
      chain,
      sequence: Number(offset),
      hash: 'f'.repeat(64),
      // As long as the canonical JSON of the record is.
      canonical: JSON.stringify(record),
      offset,
      loggedAt: new Date().toISOString(),
      ...searchFieldsOf(record),
    },
  };
}

const consumer = new Kafka({ brokers: [KAFKA_BROKERS], clientId: 'floor', logLevel: logLevel.NOTHING }).consumer({
  groupId: `floor.${Date.now()}`,
});
await consumer.connect();
await consumer.subscribe({ topics: [TOPIC], fromBeginning: true });
let first = 0;
let seen = 0;
await consumer.run({
  eachBatchAutoResolve: true,
  async eachBatch({ batch }) {
    first ||= performance.now();
    const chain = `${batch.topic}/${batch.partition}`;
    const documents = batch.messages.map(({ value, headers = {}, offset }) =>
      documentOf(value?.toString() ?? '{}', headers as Headers, { chain, offset }),
    );
    await records.insertMany(documents);
    seen += documents.length;
    if (seen >= Number(COUNT)) {
      process.stdout.write(`${JSON.stringify({ ms: performance.now() - first })}\n`);
      process.exit(0);
    }
  },
});
