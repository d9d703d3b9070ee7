// Audit ingest against its floor: the same events, already in Kafka, read by a consumer that starts behind.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { emptyContext, newEventId, newId } from '@reeve/contracts';
import { nodeBinary, repositoryRoot } from '@reeve/local/paths';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import type { Bench, BenchContext } from './bench-context.ts';

const count = 20_000;
const tenants = 20;
const group = 'audit.chain';
const run = promisify(execFile);

export const auditIngest: Bench = {
  name: 'audit: events chained from Kafka',
  unit: 'events/s',
  floorIs: 'bare eachBatch + JSON.parse + insertMany into a collection with the same indexes',
  async run({ credentials, system, createTopic }: BenchContext) {
    const kafka = new Kafka({ brokers: [credentials.kafka], clientId: 'bench', logLevel: logLevel.NOTHING });
    const topic = await createTopic('bench.floor.events', 3);
    const messages = makeEvents();
    await produce(kafka, topic, messages);
    const { stdout } = await run(
      nodeBinary,
      ['--conditions=source', join(repositoryRoot, 'test/src/bench/floor-ingest.ts')],
      {
        env: {
          ...process.env,
          KAFKA_BROKERS: credentials.kafka,
          MONGODB_URI: credentials.mongodb,
          TOPIC: topic,
          COUNT: String(count),
        },
      },
    );
    const floorMs = (JSON.parse(stdout) as { ms: number }).ms;

    // The service is made to start behind: killed, fed, started.
    const audit = system.crash('audit');
    const fed = produce(kafka, 'reeve.auth.v1', messages);
    await Promise.all([audit, fed]);
    const ours = await drained(kafka);
    return { ours, floor: count / (floorMs / 1000), details: { events: count, tenants } };
  },
};

function makeEvents() {
  const ids = Array.from({ length: tenants }, () => newId('tenant'));
  return Array.from({ length: count }, (_, index) => {
    const tenantId = ids[index % tenants] ?? newId('tenant');
    const session = newId('session');
    const data = {
      actor: { type: 'user', id: newId('user'), name: 'Bench', via: 'session' },
      target: { type: 'session', id: session, name: null },
      outcome: 'success',
      reason: { code: 'signed_in', rule: null, basis: null },
      context: { ...emptyContext, ip: '192.0.2.1', userAgent: 'bench' },
      details: { userId: 'usr', surface: 'bench', provider: null },
    };
    return {
      key: tenantId,
      value: JSON.stringify(data),
      headers: {
        ce_specversion: '1.0',
        ce_id: newEventId(),
        ce_source: '/bench',
        ce_type: 'session.created',
        ce_subject: `session/${session}`,
        ce_time: new Date().toISOString(),
        ce_tenantid: tenantId,
        ce_correlationid: 'bench',
        'content-type': 'application/json',
      },
    };
  });
}

async function produce(kafka: Kafka, topic: string, messages: ReturnType<typeof makeEvents>): Promise<void> {
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  for (let at = 0; at < messages.length; at += 2_000)
    await producer.send({ topic, acks: -1, messages: messages.slice(at, at + 2_000) });
  await producer.disconnect();
}

/** Events per second between the first look at which the group has moved and the one at which it has caught up. */
async function drained(kafka: Kafka): Promise<number> {
  const admin = kafka.admin();
  await admin.connect();
  const behind = async () => {
    const ends = await admin.fetchTopicOffsets('reeve.auth.v1');
    const [committed] = await admin.fetchOffsets({ groupId: group, topics: ['reeve.auth.v1'] });
    return ends.reduce((sum, { partition, high }) => {
      const at = Number(committed?.partitions.find(one => one.partition === partition)?.offset ?? 0);
      return sum + Number(high) - Math.max(0, at);
    }, 0);
  };
  let last = await behind();
  let since: { at: number; behind: number } | null = null;
  while (last > 0) {
    await sleep(100);
    const now = await behind();
    if (!since && now < last) since = { at: performance.now(), behind: now };
    last = now;
  }
  await admin.disconnect();
  if (!since) throw new Error('the service had caught up before it was measured');
  return since.behind / ((performance.now() - since.at) / 1000);
}
