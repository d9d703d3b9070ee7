import { readExisting, tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import { positionAt, type Run, sinkView, start, startedFrom, viewOf } from './run.ts';
import { replayed, sinksPath } from './sink.ts';
import type { SinkParts } from './sink-parts.ts';

export const replaySink = (parts: SinkParts) =>
  tenantRoute({
    method: 'post',
    path: `${sinksPath}/{sinkId}:replay`,
    summary: 'Deliver again from a time of chaining, or from the beginning, up to now and on',
    action: 'audit:configure',
    versioned: true,
    body: z.strictObject({ from: start.default('beginning') }),
    response: sinkView,
    async handle({ tenantId, params: { sinkId: id }, body: { from }, cause, expectedVersion }) {
      const entry = await readExisting(parts.sinks.in(tenantId), id, { expectedVersion });
      const position = await positionAt(parts, tenantId, from);
      const events = [replayed(id, entry.state, from)];
      const decide = (run: Run | null) => run && { state: startedFrom(run, position, parts.clock.now()), events };
      await parts.runs.in(tenantId).change(id, decide, { cause });
      return { body: await viewOf(parts, tenantId, entry), version: entry.version };
    },
  });
