import { paged, pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import { type ViewerParts, viewersPath, viewerView, viewOf } from './viewer-token.ts';

export const listViewerTokens = ({ viewers, makerEnds }: Pick<ViewerParts, 'viewers' | 'makerEnds'>) =>
  tenantRoute({
    method: 'get',
    path: viewersPath,
    summary: 'List the viewer tokens that have not expired, newest first; never the tokens themselves',
    action: 'audit:configure',
    query: pageQuery,
    response: pageOf(viewerView),
    async handle({ tenantId, query }) {
      const page = await viewers.in(tenantId).list('inOrder', {}, query);
      const makers = new Set(page.items.flatMap(({ state }) => state.createdBy ?? []));
      const ends = await makerEnds.in(tenantId).getAll([...makers]);
      const endOf = new Map(ends.map(({ id, state }) => [id, state]));
      return paged(page, viewer => viewOf(viewer, endOf.get(viewer.state.createdBy ?? '')));
    },
  });
