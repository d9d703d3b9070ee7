// The event as producers draft it, as the store stamps it, and as it travels (CloudEvents 1.0).
import { z } from 'zod';
import type { TenantId } from '../ids.ts';
import type { TopicName } from '../topics.ts';
import { type EventDetails, type EventType, eventTypes, type ReasonOf, type TargetOf } from './catalogue.ts';
import { type Actor, type Context, emptyContext, headSchema, type Outcome, type Reason } from './head.ts';
import { type TargetId, type TypedTarget, targetSchema } from './targets.ts';

/**
 * What a decision says happened. Pure: no id, no clock; the store stamps those when the change is saved. Made by
 * `event` alone.
 */
export type EventDraft<T extends EventType = EventType> = {
  [K in T]: {
    type: K;
    target: TypedTarget<TargetOf<K>>;
    outcome: Outcome;
    reason: Reason;
    details: EventDetails<K>;
  };
}[T];

type About<T extends EventType> = {
  /** Of what it is about; the catalogue says what kind of thing that is. */
  id: TargetId<TargetOf<T>>;
  /** What people call it. */
  name?: string | null;
  because: ReasonOf<T>;
  /** For a type that can turn out in several ways; the first of the catalogue where it is left out. */
  outcome?: (typeof eventTypes)[T]['outcomes'][number];
  /** The access rule that decided, and what it rested on, where that is not the rule that let the request in. */
  rule?: { id: string | null; basis: string };
} & (Record<never, never> extends EventDetails<T> ? { details?: EventDetails<T> } : { details: EventDetails<T> });

/** An event of that type, as the catalogue has it. */
export function event<T extends EventType>(type: T, about: About<T>): EventDraft<T> {
  const { target, outcomes } = eventTypes[type];
  const { id, name = null, because, outcome = outcomes[0], rule } = about;
  return {
    type,
    target: { type: target, id, name },
    outcome,
    reason: { code: because, rule: rule?.id ?? null, basis: rule?.basis ?? null },
    details: about.details ?? {},
  } as EventDraft<T>;
}

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
export function serviceCause(
  service: string,
  because: { correlationId: string; causationId?: string; sessionId?: string },
): Cause {
  const { sessionId = null, ...why } = because;
  return {
    actor: { type: 'service', id: service, name: null, via: 'system' },
    context: { ...emptyContext, sessionId },
    ...why,
  };
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

/**
 * For consumers: the target is what the catalogue says, unknown keys are tolerated (a newer producer may know more),
 * missing ones are not.
 */
export function eventDataSchema(type: EventType) {
  const { target, details } = eventTypes[type];
  return headSchema.extend({ target: targetSchema(target), details });
}

export type IdentityEvent<T extends EventType = EventType> = {
  [K in T]: Omit<CloudEvent, 'type' | 'data'> & {
    type: K;
    data: {
      actor: Actor;
      target: TypedTarget<TargetOf<K>>;
      outcome: Outcome;
      reason: Reason;
      context: Context;
      details: EventDetails<K>;
    };
  };
}[T];

/** For readers of every type, such as audit. */
export const identityHeadSchema = headSchema.extend({ details: z.record(z.string(), z.unknown()) });
