// What a message of a topic becomes in the log: an event its record, and a message that cannot be read a record that
// says so, in its place.
import {
  deadLetterTopic,
  emptyContext,
  identityHeadSchema,
  isId,
  platformTenantId,
  type TenantId,
} from '@reeve/contracts';
import { PoisonMessageError, type Received, type SetAside } from '@reeve/event-bus';
import { v5 } from 'uuid';
import { z } from 'zod';
import type { Arrival } from '../log/chain-writer.ts';

const instantSchema = z.iso.datetime();

/** The namespace (RFC 9562 §5.5) of ids that follow from the place of a message. */
const deadLetterIds = '6f1b7c52-3f0e-4b60-9a0f-0c5a5b1de6d1';

const longestHeader = 200;
const short = (header: string | undefined) => header?.slice(0, longestHeader).toWellFormed() ?? null;

export const chainOf = ({ topic, partition }: { topic: string; partition: number }) => `${topic}/${partition}`;

/** Throws PoisonMessageError for an event that has no place in a log. */
export function arrivalOf(event: Received): Arrival {
  const parsed = identityHeadSchema.safeParse(event.data);
  if (!parsed.success) {
    const fields = parsed.error.issues.map(issue => issue.path.join('.')).join(', ');
    throw new PoisonMessageError('head_invalid', `the event's head is not valid: ${fields}`);
  }
  // Search and the formats of SIEMs rest on it.
  if (!instantSchema.safeParse(event.time).success)
    throw new PoisonMessageError('attribute_invalid', 'ce_time is no RFC 3339 time in UTC');
  return {
    offset: event.offset,
    record: {
      tenantId: event.tenantId,
      chain: chainOf(event),
      eventId: event.id,
      type: event.type,
      source: event.source,
      subject: event.subject,
      time: event.time,
      correlationId: event.correlationId,
      causationId: event.causationId ?? null,
      traceId: event.traceparent?.split('-')[1] ?? null,
      ...parsed.data,
    },
  };
}

/** For the log of the tenant that its headers name; for the platform's where they name none. */
export function arrivalOfSetAside(
  { topic, partition, offset, timestamp, headers, code, reason }: SetAside,
  group: string,
): { tenantId: TenantId; arrival: Arrival } {
  const { ce_tenantid: tenant, ce_id: id, ce_type: type, ce_correlationid: correlationId } = headers;
  const tenantId = isId('tenant', tenant) ? tenant : platformTenantId;
  const chain = chainOf({ topic, partition });
  const record: Arrival['record'] = {
    tenantId,
    chain,
    // The same however often the message comes.
    eventId: v5(`${chain}/${offset}`, deadLetterIds),
    type: 'audit.dead_lettered',
    source: '/reeve/audit',
    subject: `event/${short(id) ?? '-'}`,
    time: new Date(Number(timestamp)).toISOString(),
    correlationId: short(correlationId) ?? `${chain}/${offset}`,
    causationId: null,
    traceId: null,
    actor: { type: 'service', id: 'audit', name: null, via: 'system' },
    target: { type: 'event', id: short(id), name: short(type) },
    outcome: 'failure',
    reason: { code, rule: null, basis: null },
    context: emptyContext,
    details: { topic, partition, offset, problem: reason, deadLetters: deadLetterTopic(topic, group) },
  };
  return { tenantId, arrival: { record, offset } };
}
