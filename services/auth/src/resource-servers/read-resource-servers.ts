import { paged, pageOf, pageQuery, platformRoute, readExisting } from '@reeve/service-kit';
import { type ResourceServers, resourceServerView, viewOf } from './resource-server.ts';

type Parts = { resourceServers: ResourceServers };

export const listResourceServers = ({ resourceServers }: Parts) =>
  platformRoute({
    method: 'get',
    path: '/v1/resource-servers',
    summary: 'List the APIs of the product',
    action: 'resource-servers:read',
    query: pageQuery,
    response: pageOf(resourceServerView),
    handle: async ({ query }) => paged(await resourceServers.list('inOrder', {}, query), viewOf),
  });

export const readResourceServer = ({ resourceServers }: Parts) =>
  platformRoute({
    method: 'get',
    path: '/v1/resource-servers/{resourceServerId}',
    summary: 'Read an API of the product',
    action: 'resource-servers:read',
    response: resourceServerView,
    async handle({ params: { resourceServerId: id } }) {
      const entry = await readExisting(resourceServers, id);
      return { body: viewOf(entry), version: entry.version };
    },
  });
