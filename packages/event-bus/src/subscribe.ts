// One event after the other, typed: what most services want of a topic. A type without a handler is passed over, a
// known type whose data breaks its schema is poison; keys that a newer producer added are tolerated.
import { context, SpanKind, trace } from '@opentelemetry/api';
import { type EventType, eventDataSchema, type IdentityEvent, topicOf } from '@reeve/contracts';
import type { Batch, ConsumerOptions, Received } from './consumer.ts';
import { PoisonMessageError } from './errors.ts';
import { contextOf } from './trace-links.ts';

export type Handlers = { [T in EventType]?: (event: IdentityEvent<T>) => Promise<void> };

const tracer = trace.getTracer('@reeve/event-bus');

export function subscription(group: string, handlers: Handlers): ConsumerOptions {
  const types = Object.keys(handlers) as EventType[];
  const schemas = new Map(types.map(type => [type, eventDataSchema(type)]));
  const topics = [...new Set(types.map(topicOf))];

  async function handleOne(event: Received) {
    const type = event.type as EventType;
    const handler = handlers[type] as ((event: IdentityEvent) => Promise<void>) | undefined;
    if (!handler) return;
    const parsed = schemas.get(type)?.safeParse(event.data);
    if (!parsed?.success) {
      const fields = parsed?.error.issues.map(issue => issue.path.join('.')).join(', ');
      throw new PoisonMessageError('data_invalid', `the data of ${type} is not valid: ${fields}`);
    }
    const parent = contextOf(event.traceparent);
    const span = tracer.startSpan(`process ${type}`, { kind: SpanKind.INTERNAL }, parent);
    try {
      await context.with(trace.setSpan(parent, span), () =>
        handler({ ...event, type, data: parsed.data } as IdentityEvent),
      );
    } finally {
      span.end();
    }
  }

  async function handleBatch({ events }: Batch) {
    for (const event of events) await handleOne(event);
  }

  return { group, topics, types, handleBatch };
}
