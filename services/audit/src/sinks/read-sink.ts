import { readExisting, tenantRoute } from '@reeve/service-kit';
import { sinkView, viewOf } from './run.ts';
import { sinksPath } from './sink.ts';
import type { SinkParts } from './sink-parts.ts';

export const readSink = (parts: Pick<SinkParts, 'sinks' | 'runs' | 'heads'>) =>
  tenantRoute({
    method: 'get',
    path: `${sinksPath}/{sinkId}`,
    summary: 'Read one sink, with how far it is',
    action: 'audit:configure',
    response: sinkView,
    async handle({ tenantId, params }) {
      const entry = await readExisting(parts.sinks.in(tenantId), params.sinkId);
      return { body: await viewOf(parts, tenantId, entry), version: entry.version };
    },
  });
