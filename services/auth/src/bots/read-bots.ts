import { paged, pageOf, pageQuery, readExisting, tenantRoute } from '@reeve/service-kit';
import { type Bots, botView, viewOf } from './bot.ts';

const common = { method: 'get', action: 'bots:read' } as const;

export const listBots = ({ bots }: { bots: Bots }) =>
  tenantRoute({
    ...common,
    path: '/v1/tenants/{tenantId}/bots',
    summary: 'List the bots',
    query: pageQuery,
    response: pageOf(botView),
    handle: async ({ tenantId, query }) => paged(await bots.in(tenantId).list('inOrder', {}, query), viewOf),
  });

export const readBot = ({ bots }: { bots: Bots }) =>
  tenantRoute({
    ...common,
    path: '/v1/tenants/{tenantId}/bots/{botId}',
    summary: 'Read a bot',
    response: botView,
    async handle({ tenantId, params: { botId: id } }) {
      const entry = await readExisting(bots.in(tenantId), id);
      return { body: viewOf(entry), version: entry.version };
    },
  });
