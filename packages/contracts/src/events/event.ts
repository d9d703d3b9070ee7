// The event as producers draft it, as the store stamps it, and as it travels (CloudEvents 1.0).
import { z } from 'zod';
import type { TenantId } from '../ids.ts';
import type { TopicName } from '../topics.ts';
import { type EventDetails, type EventType, eventTypes } from './catalogue.ts';
import { type Actor, type Context, emptyContext, headSchema, type Outcome, type Reason, type Target } from './head.ts';

/** What a decision says happened. Pure: no id, no clock; the store stamps those when the change is saved. */
export type EventDraft<T extends EventType = EventType> = {
  [K in T]: {
    type: K;
    target: Target;
    outcome: Outcome;
    reason: Reason;
    details: EventDetails<K>;
  };
}[T];

/** On whose behalf, and in the course of what, a change is made. */
export type Cause = {
  actor: Actor;
  context: Context;
  correlationId: string;
  /** The id of the event that this change reacts to. */
  causationId?: string;
  /** The access rule that permitted it, where one was asked. */
  decision?: { rule: string | null; basis: string };
  /** W3C trace context, where it is not the one in which the change is made. */
  traceparent?: string;
};

/** A service acting by itself or on an event. */
export function serviceCause(service: string, because: { correlationId: string; causationId?: string }): Cause {
  return { actor: { type: 'service', id: service, name: null, via: 'system' }, context: emptyContext, ...because };
}

/** An event in transit. `data` is JSON for identity events and the partner's exact bytes for webhook payloads. */
export type CloudEvent = {
  id: string;
  source: string;
  type: string;
  subject: string;
  time: string;
  tenantId: TenantId;
  correlationId: string;
  causationId?: string;
  /** W3C trace context of the change that the event tells of. */
  traceparent?: string;
  contentType: string;
  data: unknown;
};

export type Message = { topic: string; key: string; event: CloudEvent };

export function topicOf(type: EventType): TopicName {
  return eventTypes[type].topic;
}

export function eventDataSchema(type: EventType) {
  return headSchema.extend({ details: eventTypes[type].details });
}

/** For consumers: unknown keys are tolerated (a newer producer may know more), missing ones are not. */
export type IdentityEvent<T extends EventType = EventType> = {
  [K in T]: Omit<CloudEvent, 'type' | 'data'> & {
    type: K;
    data: {
      actor: Actor;
      target: Target;
      outcome: Outcome;
      reason: Reason;
      context: Context;
      details: EventDetails<K>;
    };
  };
}[T];

export const because = (code: string): Reason => ({ code, rule: null, basis: null });

export const identityHeadSchema = headSchema.extend({ details: z.record(z.string(), z.unknown()) });
