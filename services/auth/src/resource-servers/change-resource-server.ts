import { invalidField } from '@reeve/contracts';
import { changeExisting, platformRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import {
  contradictionIn,
  type ResourceServers,
  remove,
  resourceServerSettings,
  resourceServerView,
  update,
  viewOf,
} from './resource-server.ts';
import type { ResourceServerDirectory } from './resource-server-directory.ts';

type Parts = {
  resourceServers: ResourceServers;
  directory: ResourceServerDirectory;
  /** The URLs of Reeve itself. */
  own: readonly string[];
  clock: Clock;
};

export const updateResourceServer = ({ resourceServers, directory, own }: Parts) =>
  platformRoute({
    method: 'patch',
    path: '/v1/resource-servers/{resourceServerId}',
    summary: 'Change an API of the product; tokens that are out keep what they have until they expire',
    action: 'resource-servers:write',
    versioned: true,
    body: resourceServerSettings.partial(),
    response: resourceServerView,
    async handle({ params: { resourceServerId: id }, body, cause, expectedVersion }) {
      const change = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
      const entry = await changeExisting(
        resourceServers,
        id,
        server => {
          const wrong = contradictionIn({ ...server, ...change }, own);
          if (wrong) throw invalidField(wrong.field, wrong.message);
          return update(id, server, change);
        },
        { cause, expectedVersion },
      );
      directory.forget(entry.state.identifier);
      return { body: viewOf(entry), version: entry.version };
    },
  });

export const deleteResourceServer = ({ resourceServers, directory, clock }: Parts) =>
  platformRoute({
    method: 'delete',
    path: '/v1/resource-servers/{resourceServerId}',
    summary: 'Delete an API of the product; nobody gets tokens for it any more',
    action: 'resource-servers:write',
    versioned: true,
    status: 204,
    async handle({ params: { resourceServerId: id }, cause, expectedVersion }) {
      const at = clock.now();
      const entry = await changeExisting(resourceServers, id, server => remove(id, server, at), {
        cause,
        expectedVersion,
      });
      directory.forget(entry.state.identifier);
      return { body: undefined };
    },
  });
