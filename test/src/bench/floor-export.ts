// The floor of an export: a cursor over the same documents in the same order, and the JSON of each. Prints the time as
// JSON and ends.
import { MongoClient } from 'mongodb';

const { MONGODB_URI = '', DATABASE = '', TENANT = '' } = process.env;
const mongo = await new MongoClient(MONGODB_URI).connect();
const records = mongo.db(DATABASE).collection('audit_records');
const began = performance.now();
let bytes = 0;
let documents = 0;
const cursor = records.find({ tenantId: TENANT }).sort({ 'state.chain': 1, 'state.sequence': 1 }).batchSize(500);
for await (const document of cursor) {
  bytes += JSON.stringify(document).length;
  documents += 1;
}
process.stdout.write(`${JSON.stringify({ ms: performance.now() - began, documents, bytes })}\n`);
await mongo.close();
