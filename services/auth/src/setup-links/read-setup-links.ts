import { paged, pageOf, pageQuery, readExisting, tenantRoute } from '@reeve/service-kit';
import { linkView, type SetupLinks, viewOf } from './setup-link.ts';

const common = { method: 'get', action: 'connections:read' } as const;

export const listSetupLinks = ({ links }: { links: SetupLinks }) =>
  tenantRoute({
    ...common,
    path: '/v1/tenants/{tenantId}/setup-links',
    summary: 'List the set-up links that have not expired, newest first; never the links themselves',
    query: pageQuery,
    response: pageOf(linkView),
    handle: async ({ tenantId, query }) => paged(await links.in(tenantId).list('inOrder', {}, query), viewOf),
  });

export const readSetupLink = ({ links }: { links: SetupLinks }) =>
  tenantRoute({
    ...common,
    path: '/v1/tenants/{tenantId}/setup-links/{setupLinkId}',
    summary: 'Read what is known of a set-up link; never the link itself',
    response: linkView,
    async handle({ tenantId, params }) {
      const entry = await readExisting(links.in(tenantId), params.setupLinkId);
      return { body: viewOf(entry), version: entry.version };
    },
  });
