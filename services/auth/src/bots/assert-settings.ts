// What the settings of a bot name has to be the tenant's own, or the platform's for that tenant.
import { invalidField, type TenantId } from '@reeve/contracts';
import type { ApplicationDirectory } from '../applications/application-directory.ts';
import { isServed } from '../applications/known-application.ts';
import type { AuthKeyDirectory } from '../auth-keys/auth-key-directory.ts';
import { apiFor } from '../resource-servers/api-for.ts';
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
    const found = await apiFor(resourceServers, application, connection);
    if ('wrong' in found) throw invalidField(at(found.wrong.field), found.wrong.message);
    // An opaque token would have to be kept here to count.
    if (found.server.format !== 'jwt') throw invalidField(at('resource'), 'is an API with opaque tokens');
  }
}
