// A tenant with an identity provider, an API and a bot, for the tests of this folder.
import type { Id, TenantId } from '@reeve/contracts';
import type { Application, Auth } from '../auth.test-support.ts';

export const api = 'https://calendar.example';
export const audience = 'api://bot.example';
export const connectionName = 'calendar';

export type TestBot = {
  tenantId: TenantId;
  slug: string;
  idp: Id<'connection'>;
  machine: Application;
  botId: Id<'bot'>;
  as: string;
};

const machineSettings = { kind: 'machine', grantTypes: ['client_credentials'], redirectUris: [] };
export const newMachine = (auth: Auth, tenantId: TenantId | null, settings: object = {}): Promise<Application> =>
  auth.newApplication(tenantId, { ...machineSettings, ...settings });

export const botConnection = (settings: object = {}) => ({
  name: connectionName,
  authKey: 'default',
  tokenExchange: { audience },
  resource: api,
  scopes: ['events.read'],
  ...settings,
});

export async function newApi(auth: Auth, identifier: string, settings: object = {}): Promise<void> {
  const { status, body } = await auth.ask('POST', '/v1/resource-servers', {
    as: await auth.asPlatform(),
    body: {
      name: 'Calendar',
      identifier,
      scopes: [{ name: 'events.read' }, { name: 'events.write' }],
      applications: 'all',
      ...settings,
    },
  });
  if (status !== 201) throw new Error(JSON.stringify(body));
}

export async function tokenOf(auth: Auth, machine: Application, scope = 'bots:act'): Promise<string> {
  const { status, body } = await auth.token(machine, { grant_type: 'client_credentials', scope, resource: auth.url });
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body['access_token'] ?? '';
}

/** A tenant of its own for each. */
export async function newBot(auth: Auth, settings: object = {}): Promise<TestBot> {
  const { tenantId, slug } = await auth.newTenant();
  const idp = await auth.newConnection(tenantId);
  const as = await auth.asPlatform();
  await auth.ask('POST', `/v1/tenants/${tenantId}/auth-keys`, { as, body: { authKey: 'default', connectionId: idp } });
  const machine = await newMachine(auth, tenantId);
  const { status, body } = await auth.ask<{ id: Id<'bot'> }>('POST', `/v1/tenants/${tenantId}/bots`, {
    as,
    body: { name: 'Concierge', clientId: machine.id, connections: [botConnection()], ...settings },
  });
  if (status !== 201) throw new Error(JSON.stringify(body));
  return { tenantId, slug, idp, machine, botId: body.id, as: await tokenOf(auth, machine) };
}
