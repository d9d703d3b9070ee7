// What the tests of this package share.
import { randomUUID } from 'node:crypto';
import { type CloudEvent, type Message, newEventId, newId } from '@reeve/contracts';
import type { EventBus } from './event-bus.ts';
import type { Log } from './kafka-log.ts';

export async function freshTopic(bus: EventBus, { partitions = 1, compacted = false } = {}): Promise<string> {
  const topic = `test.${randomUUID()}`;
  await bus.ensureTopics({
    [topic]: { summary: '', key: '', writers: [], partitions, retentionMs: 3_600_000, compacted },
  });
  return topic;
}

export function message(topic: string, data: unknown, change: Partial<CloudEvent> = {}): Message {
  const event: CloudEvent = {
    id: newEventId(),
    source: '/test',
    type: 'tenant.created',
    subject: 'tenant/1',
    time: new Date().toISOString(),
    tenantId: newId('tenant'),
    correlationId: 'c',
    contentType: 'application/json',
    data,
    ...change,
  };
  return { topic, key: 'k', event };
}

export async function until(holds: () => boolean | Promise<boolean>, withinMs = 20_000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error('it did not happen in time');
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

/** A log, and what was written to it at `warn` or `error`. */
export function collectLog() {
  const lines: string[] = [];
  const log: Log = (level, text, about) => {
    if (level === 'warn' || level === 'error') lines.push(`${level} ${text} ${JSON.stringify(about)}`);
  };
  return { log, lines };
}
