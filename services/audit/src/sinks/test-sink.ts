import { type ChainedRecord, chain, formats, testChain } from '@reeve/audit-log';
import { type Cause, emptyContext, newEventId, type TenantId } from '@reeve/contracts';
import { readExisting, tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import { SinkError } from './kinds/delivery.ts';
import { kindOf } from './kinds/registry.ts';
import { readCredential, sinksPath } from './sink.ts';
import type { SinkParts } from './sink-parts.ts';

export const testSink = (parts: Omit<SinkParts, 'runs' | 'checkpointer'>) =>
  tenantRoute({
    method: 'post',
    path: `${sinksPath}/{sinkId}:test`,
    summary: 'Send one record that is marked as a test, and say what the receiver made of it',
    action: 'audit:configure',
    response: z.object({
      delivered: z.boolean(),
      code: z.string().nullable().describe('Why not: see docs/sinks.md'),
      detail: z.string().nullable(),
      tookMs: z.number(),
    }),
    async handle({ tenantId, params: { sinkId }, cause }) {
      const { target } = (await readExisting(parts.sinks.in(tenantId), sinkId)).state;
      const began = performance.now();
      const answer = (code: string | null, detail: string | null) => ({
        body: { delivered: code === null, code, detail, tookMs: Math.round(performance.now() - began) },
      });
      const access = { cause, purpose: 'test_sink' } as const;
      const credential = await readCredential(parts.vault, { tenantId, sinkId, target }, access);
      const { deliver, formatOf } = kindOf(target);
      const record = testRecord(tenantId, cause, parts.clock.now());
      const text = formats[formatOf(target)].writeRecord(record, parts.signingKey().kid);
      const line = { id: record.record.eventId, text };
      try {
        const { refused } = await deliver(
          parts,
          { target, credential },
          { id: `msg_${line.id}`, tenantId, lines: [line] },
        );
        return refused[0] ? answer('records_refused', refused[0].reason) : answer(null, null);
      } catch (error) {
        if (error instanceof SinkError) return answer(error.code, error.message);
        throw error;
      }
    },
  });

function testRecord(tenantId: TenantId, { actor }: Cause, now: Date): ChainedRecord {
  return chain(null, {
    tenantId,
    chain: testChain,
    eventId: newEventId(),
    type: 'sink.tested',
    source: '/reeve/audit',
    subject: 'sink/test',
    time: now.toISOString(),
    correlationId: newEventId(),
    causationId: null,
    traceId: null,
    actor,
    target: { type: 'sink', id: null, name: 'a test; nothing happened' },
    outcome: 'success',
    reason: { code: 'test', rule: null, basis: null },
    context: emptyContext,
    details: {},
  });
}
