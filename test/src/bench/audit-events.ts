// Identity events as producers publish them, in numbers, and how far the audit service is with them.
import { setTimeout as sleep } from 'node:timers/promises';
import { emptyContext, newEventId, newId } from '@reeve/contracts';
import { type Kafka, Partitioners } from 'kafkajs';

const group = 'audit.chain';
const atOnce = 2_000;
const tellEveryMs = 30_000;

export function makeEvents(count: number, tenants: readonly string[]) {
  const users = tenants.map(() => newId('user'));
  return Array.from({ length: count }, (_, index) => {
    const tenantId = tenants[index % tenants.length] ?? '';
    const session = newId('session');
    const user = users[index % tenants.length] ?? null;
    const data = {
      actor: { type: 'user', id: user, name: 'Bench', via: 'session' },
      target: { type: 'session', id: session, name: null },
      outcome: index % 50 === 0 ? 'failure' : 'success',
      reason: { code: 'signed_in', rule: null, basis: null },
      context: { ...emptyContext, ip: `192.0.2.${index % 250}`, userAgent: 'Mozilla/5.0 (bench)', sessionId: session },
      details: { userId: user, surface: 'bench', provider: null },
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
        ce_correlationid: `bench-${index}`,
        'content-type': 'application/json',
      },
    };
  });
}

export async function produce(kafka: Kafka, topic: string, messages: ReturnType<typeof makeEvents>): Promise<void> {
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  for (let at = 0; at < messages.length; at += atOnce)
    await producer.send({ topic, acks: -1, messages: messages.slice(at, at + atOnce) });
  await producer.disconnect();
}

/** Publishes that many and waits until they are chained. */
export async function load(kafka: Kafka, count: number, tenants: readonly string[]): Promise<void> {
  const portion = 50_000;
  for (let at = 0; at < count; at += portion)
    await produce(kafka, 'reeve.auth.v1', makeEvents(Math.min(portion, count - at), tenants));
  await drained(kafka);
}

/**
 * Waits until all is chained. Events per second between the first look at which the service has moved and the last;
 * null when it was done before it was looked at.
 */
export async function drained(kafka: Kafka): Promise<number | null> {
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
  let toldAt = performance.now();
  let since: { at: number; behind: number } | null = null;
  while (last > 0) {
    await sleep(100);
    const now = await behind();
    if (!since && now < last) since = { at: performance.now(), behind: now };
    last = now;
    if (performance.now() - toldAt < tellEveryMs) continue;
    toldAt = performance.now();
    console.log(`  ${now} events are still to be chained`);
  }
  await admin.disconnect();
  return since && since.behind / ((performance.now() - since.at) / 1000);
}
