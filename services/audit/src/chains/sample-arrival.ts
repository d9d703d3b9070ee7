// For tests: an event as it arrives, of which each says only what matters to it.
import { emptyContext, newEventId, type TenantId } from '@reeve/contracts';
import type { Arrival } from './chain-writer.ts';

export function sampleArrival(
  { tenantId, chain, offset }: { tenantId: TenantId; chain: string; offset: number },
  changes: Partial<Arrival['record']> = {},
): Arrival {
  return {
    offset: String(offset),
    record: {
      tenantId,
      chain,
      eventId: newEventId(),
      type: 'session.created',
      source: '/test',
      subject: 'session/1',
      time: new Date().toISOString(),
      correlationId: 'c',
      causationId: null,
      traceId: null,
      actor: { type: 'user', id: 'usr', name: 'Zoë\n☃', via: 'session' },
      target: { type: 'session', id: 's', name: null },
      outcome: 'success',
      reason: { code: 'x', rule: null, basis: null },
      context: emptyContext,
      details: { userId: 'usr' },
      ...changes,
    },
  };
}
