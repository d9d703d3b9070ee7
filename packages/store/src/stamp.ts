// Turns what a decision says into what travels: id and time of the moment it happened, and the trace it happened in.
import { context, propagation } from '@opentelemetry/api';
import { type Cause, type EventDraft, type Message, type TenantId, topicOf } from '@reeve/contracts';

/** A message that is not an identity event: a webhook payload with its own topic, key and bytes. */
export type RawDraft = {
  topic: string;
  key: string;
  type: string;
  subject: string;
  contentType: string;
  data: Uint8Array;
};

/** `cause` where it is not that of the whole change: one change may release what several requests brought. */
export type Draft = (EventDraft | RawDraft) & { cause?: Cause };

export type Stamp = { id: string; time: Date; source: string; tenantId: TenantId; cause: Cause };

/** The W3C trace context of what is being done. */
function currentTraceparent(): string | undefined {
  const carrier: { traceparent?: string } = {};
  propagation.inject(context.active(), carrier);
  return carrier.traceparent;
}

export function stamp(draft: Draft, { id, time, source, tenantId, cause: ofChange }: Stamp): Message {
  const cause = draft.cause ?? ofChange;
  const traceparent = cause.traceparent ?? currentTraceparent();
  const common = {
    id,
    source,
    time: time.toISOString(),
    tenantId,
    correlationId: cause.correlationId,
    ...(cause.causationId === undefined ? {} : { causationId: cause.causationId }),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
  if ('topic' in draft) {
    const { topic, key, type, subject, contentType, data } = draft;
    return { topic, key, event: { ...common, type, subject, contentType, data } };
  }
  const { type, target, outcome, reason, details } = draft;
  return {
    topic: topicOf(type),
    key: tenantId,
    event: {
      ...common,
      type,
      subject: `${target.type}/${target.id ?? '-'}`,
      contentType: 'application/json',
      data: {
        actor: cause.actor,
        target,
        outcome,
        reason: reason.rule === null && cause.decision ? { ...reason, ...cause.decision } : reason,
        context: cause.context,
        details,
      },
    },
  };
}
