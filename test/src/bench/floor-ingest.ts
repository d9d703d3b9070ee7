// The floor of audit ingest: bare `eachBatch`, JSON.parse, `insertMany` into a collection with the same indexes. No chain, no hash, no
// publication. Prints the time from the first batch to the last event as JSON and ends.
import { Kafka, logLevel } from 'kafkajs';
import { MongoClient } from 'mongodb';

const { KAFKA_BROKERS = '', MONGODB_URI = '', TOPIC = '', COUNT = '0' } = process.env;
const mongo = new MongoClient(MONGODB_URI, { w: 'majority', journal: true });
const records = mongo.db('bench_floor').collection('records');
const newestOf = (...fields: string[]) => ({
  key: {
    tenantId: 1,
    ...Object.fromEntries(fields.map(field => [`state.${field}`, 1])),
    'state.time': -1,
    id: -1,
  } as const,
});
await records.createIndexes([
  { key: { 'unique.place': 1 }, unique: true, sparse: true },
  newestOf(),
  ...['type', 'actorId', 'targetId', 'outcome', 'ip', 'sessionId', 'correlationId', 'about', 'words'].map(field =>
    newestOf(field),
  ),
  { key: { tenantId: 1, 'state.chain': 1, 'state.sequence': 1, id: 1 } },
  { key: { outboxAt: 1 }, sparse: true },
]);
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
    const documents = batch.messages.map(({ value, headers, offset }) => ({
      tenantId: headers?.['ce_tenantid']?.toString(),
      id: headers?.['ce_id']?.toString(),
      unique: { place: `${batch.partition}#${offset}` },
      state: {
        chain: `${batch.topic}/${batch.partition}`,
        sequence: Number(offset),
        time: headers?.['ce_time']?.toString(),
        record: JSON.parse(value?.toString() ?? '{}') as object,
      },
    }));
    await records.insertMany(documents);
    seen += documents.length;
    if (seen >= Number(COUNT)) {
      process.stdout.write(`${JSON.stringify({ ms: performance.now() - first })}\n`);
      process.exit(0);
    }
  },
});
