import { pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import { sinkView, viewsOf } from './run.ts';
import { sinksPath } from './sink.ts';
import type { SinkParts } from './sink-parts.ts';

export const listSinks = (parts: Pick<SinkParts, 'sinks' | 'runs' | 'heads'>) =>
  tenantRoute({
    method: 'get',
    path: sinksPath,
    summary: 'List the sinks that the log is pushed to, with how far each is',
    action: 'audit:configure',
    query: pageQuery,
    response: pageOf(sinkView),
    async handle({ tenantId, query }) {
      const { items, nextCursor } = await parts.sinks.in(tenantId).list('inOrder', {}, query);
      return { body: { items: await viewsOf(parts, tenantId, items), nextCursor } };
    },
  });
