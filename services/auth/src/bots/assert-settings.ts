// What the settings of a bot name has to be the tenant's own, or the platform's for that tenant.
import { invalidField, type TenantId } from '@reeve/contracts';
import type { ApplicationDirectory } from '../applications/application-directory.ts';
import { isServed, type KnownApplication } from '../applications/known-application.ts';
import type { AuthKeyDirectory } from '../auth-keys/auth-key-directory.ts';
import { scopesFor } from '../resource-servers/resource-server.ts';
import type { ResourceServerDirectory } from '../resource-servers/resource-server-directory.ts';
import type { BotConnection, BotSettings } from './bot.ts';

export type SettingsParts = {
  applications: Pick<ApplicationDirectory, 'findNow'>;
  authKeys: AuthKeyDirectory;
  resourceServers: ResourceServerDirectory;
};

/** Throws `input_invalid`, for what is not there and for what is another tenant's alike. */
export async function assertSettings(
  { applications, authKeys, resourceServers }: SettingsParts,
  tenantId: TenantId,
  { clientId, connections }: Pick<BotSettings, 'clientId' | 'connections'>,
): Promise<void> {
  const application = await applications.findNow(clientId);
  if (!application || !isServed(application, tenantId))
    throw invalidField('clientId', 'is no application that serves this tenant');
  if (!application.grantTypes.includes('client_credentials'))
    throw invalidField('clientId', 'is no application that gets tokens by client_credentials');
  authKeys.forget(tenantId);
  const keys = await authKeys.of(tenantId);
  for (const [index, connection] of connections.entries()) {
    const at = (field: keyof BotConnection) => `connections.${index}.${field}`;
    if (!keys.has(connection.authKey)) throw invalidField(at('authKey'), 'is no auth_key of this tenant');
    const wrong = await wrongInApi(resourceServers, application, connection);
    if (wrong) throw invalidField(at(wrong.field), wrong.message);
  }
}

async function wrongInApi(
  resourceServers: ResourceServerDirectory,
  application: KnownApplication,
  { resource, scopes }: BotConnection,
): Promise<{ field: 'resource' | 'scopes'; message: string } | null> {
  const server = await resourceServers.find(resource);
  const allowed = server && scopesFor(server, application);
  if (!server || !allowed) return { field: 'resource', message: 'is no API that the application may ask for' };
  // An opaque token would have to be kept here to count.
  if (server.format !== 'jwt') return { field: 'resource', message: 'is an API with opaque tokens' };
  const other = scopes.find(scope => !allowed.includes(scope));
  return other === undefined
    ? null
    : { field: 'scopes', message: `${other} is nothing that the application may ask for` };
}
