// Whether an application may ask for that at an API, for settings that name both before anybody asks.
import type { KnownApplication } from '../applications/known-application.ts';
import { type ResourceServer, scopesFor } from './resource-server.ts';
import type { ResourceServerDirectory } from './resource-server-directory.ts';

type Wish = { resource: string; scopes: readonly string[] };
type Wrong = { field: 'resource' | 'scopes'; message: string };

/** The API; or what of the wish is wrong. */
export async function apiFor(
  resourceServers: Pick<ResourceServerDirectory, 'find'>,
  application: KnownApplication,
  { resource, scopes }: Wish,
): Promise<{ server: ResourceServer } | { wrong: Wrong }> {
  const server = await resourceServers.find(resource);
  const allowed = server && scopesFor(server, application);
  if (!server || !allowed)
    return { wrong: { field: 'resource', message: 'is no API that the application may ask for' } };
  const other = scopes.find(scope => !allowed.includes(scope));
  return other === undefined
    ? { server }
    : { wrong: { field: 'scopes', message: `${other} is nothing that the application may ask for` } };
}
