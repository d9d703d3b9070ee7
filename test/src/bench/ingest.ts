// Audit ingest against its floor: the same events, already in Kafka, read by a consumer that starts behind.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { newId } from '@reeve/contracts';
import { nodeBinary, repositoryRoot } from '@reeve/local/paths';
import { drained, makeEvents, produce } from './audit-events.ts';
import type { Bench, BenchContext } from './bench-context.ts';
import { tenants } from './filled-log.ts';

const count = 20_000;
const run = promisify(execFile);

export const auditIngest: Bench = {
  name: 'audit: events chained from Kafka',
  unit: 'events/s',
  floorIs: 'bare eachBatch + JSON.parse + insertMany into a collection with the same indexes',
  wanted: 0.75,
  async run({ credentials, system, kafka, createTopic }: BenchContext) {
    const topic = await createTopic('bench.floor.events', 3);
    const messages = makeEvents(
      count,
      Array.from({ length: tenants }, () => newId('tenant')),
    );
    await produce(kafka, topic, messages);
    const environment = { KAFKA_BROKERS: credentials.kafka, MONGODB_URI: credentials.mongodb };
    const { stdout } = await run(
      nodeBinary,
      ['--conditions=source', join(repositoryRoot, 'test/src/bench/floor-ingest.ts')],
      { env: { ...process.env, ...environment, TOPIC: topic, COUNT: String(count) } },
    );
    const floorMs = (JSON.parse(stdout) as { ms: number }).ms;

    // The service is made to start behind: killed, fed, started.
    const audit = system.crash('audit');
    const fed = produce(kafka, 'reeve.auth.v1', messages);
    await Promise.all([audit, fed]);
    const ours = await drained(kafka);
    if (ours === null) throw new Error('the service had caught up before it was measured');
    return { ours, floor: count / (floorMs / 1000), details: { events: count, tenants } };
  },
};
