// auth: OpenID provider, relying party of the tenants' identity providers, and the sessions between the two. Every part
// is built and every route mounted here.
import { createApp, createFoundation, createTenantDirectory, type Logger, type Service } from '@reeve/service-kit';
import { createGuardedFetch } from '@reeve/service-kit/outbound';
import { createVault, localKeyFile } from '@reeve/vault';
import { clients as clientsOf } from './clients/client.ts';
import { createClientDirectory } from './clients/client-directory.ts';
import { createClient } from './clients/create-client.ts';
import { deleteClient } from './clients/delete-client.ts';
import { listClients } from './clients/list-clients.ts';
import { readClient } from './clients/read-client.ts';
import { rotateClientSecret } from './clients/rotate-secret.ts';
import { updateClient } from './clients/update-client.ts';
import type { Config } from './config.ts';
import { activateConnection } from './connections/activate-connection.ts';
import { connections as connectionsOf } from './connections/connection.ts';
import { createConnectionDirectory } from './connections/connection-directory.ts';
import { createConnection } from './connections/create-connection.ts';
import { deleteConnection, destroySecretOfDeletedConnection } from './connections/delete-connection.ts';
import { createKinds } from './connections/kinds/registry.ts';
import { listConnections } from './connections/list-connections.ts';
import { readConnection } from './connections/read-connection.ts';
import { testConnection } from './connections/test-connection.ts';
import { updateConnection } from './connections/update-connection.ts';
import { contents } from './contents.ts';
import { createAdapterFactory } from './openid-provider/adapter.ts';
import { artifactAdapter, artifacts } from './openid-provider/artifacts.ts';
import { browserLoginAdapter, browserLogins } from './openid-provider/browser-logins.ts';
import { providerEndpoints } from './openid-provider/endpoints.ts';
import { createGrantStore, grants as grantsOf } from './openid-provider/grants.ts';
import { createProvider } from './openid-provider/openid-provider.ts';
import { followPeople } from './sessions/follow-people.ts';
import { listOwnSessions, listSessions, listUserSessions } from './sessions/list-sessions.ts';
import { createLiveSessions } from './sessions/live-sessions.ts';
import { peopleChanges as peopleChangesOf } from './sessions/people-changes.ts';
import { sessions as sessionsOf } from './sessions/session.ts';
import { terminateOwnSession, terminateSession } from './sessions/terminate-session.ts';
import { createIdentityResolver } from './sign-in/identity-resolver.ts';
import { createSignInRecords, signIns as signInsOf } from './sign-in/sign-in.ts';
import { signInRoutes } from './sign-in/sign-in-routes.ts';
import { beginSession } from './sign-in/steps/begin-session.ts';
import { chooseConnection } from './sign-in/steps/choose-connection.ts';
import { chooseTenant } from './sign-in/steps/choose-tenant.ts';
import { goToProvider } from './sign-in/steps/go-to-provider.ts';
import { resolvePerson } from './sign-in/steps/resolve-person.ts';
import { returnFromProvider } from './sign-in/steps/return-from-provider.ts';
import { loadSigningKeys, signingKeys as signingKeysOf } from './signing-keys/signing-keys.ts';

export async function createService(config: Config, log: Logger): Promise<Service> {
  const foundation = createFoundation('auth', config, {
    log,
    contents,
    own: {
      async isSessionLive(tenantId, sessionId) {
        return (await foundation.store.collection(sessionsOf).in(tenantId).get(sessionId))?.state.status === 'live';
      },
    },
  });
  const { store, bus, verifyToken, ready, stop } = foundation;
  const { clock } = store;
  const issuer = config.REEVE_ISSUER;
  const clients = store.collection(clientsOf);
  const connections = store.collection(connectionsOf);
  const sessions = store.collection(sessionsOf);
  const peopleChanges = store.collection(peopleChangesOf);

  const vault = createVault({ store, keys: localKeyFile(config.REEVE_VAULT_KEY_FILE) });
  const tenants = createTenantDirectory(store);
  const clientDirectory = createClientDirectory({ clients, config, clock });
  const connectionDirectory = createConnectionDirectory({ connections });
  const live = createLiveSessions({ sessions, tenants });
  const fetch = createGuardedFetch({ allowedPrivateOrigins: config.REEVE_ALLOWED_PRIVATE_ORIGINS });
  const kinds = createKinds({ vault, fetch, ownIssuer: issuer });
  const signIns = createSignInRecords({ records: store.platformRecords(signInsOf), clock });
  const grants = createGrantStore({
    records: store.platformRecords(grantsOf),
    clock,
    keys: config.REEVE_COOKIE_KEYS,
    graceMs: config.REEVE_REFRESH_GRACE_SECONDS * 1_000,
  });

  // The provider takes its keys when it is built, so the store has to be there before the application is.
  await foundation.start();
  const keys = await loadSigningKeys({ keys: store.collection(signingKeysOf), vault });
  const provider = createProvider({
    config,
    log,
    keys,
    grants,
    live,
    tenants,
    store,
    adapter: createAdapterFactory({
      clients: clientDirectory,
      signIns,
      grants,
      login: browserLoginAdapter({ records: store.platformRecords(browserLogins), clock }),
      artifact: model => artifactAdapter({ records: store.platformRecords(artifacts), clock, model }),
    }),
  });
  const resolveIdentity = createIdentityResolver({
    audience: config.REEVE_PROVISIONING_URL,
    address: config.REEVE_PROVISIONING_ADDRESS ?? config.REEVE_PROVISIONING_URL,
    issuer,
    key: keys.accessToken,
  });
  const ofConnection = { connections: connectionDirectory, kinds };
  const steps = {
    'choose-tenant': chooseTenant({ tenants }),
    'choose-connection': chooseConnection({ connections: connectionDirectory }),
    'go-to-provider': goToProvider(ofConnection),
    'return-from-provider': returnFromProvider(ofConnection),
    'resolve-person': resolvePerson({ ...ofConnection, resolveIdentity, clock }),
    'begin-session': beginSession({ sessions, live, peopleChanges, clock }),
  };

  const aboutClients = { clients, directory: clientDirectory, clock };
  const aboutConnections = { connections, directory: connectionDirectory, kinds, ownIssuer: issuer, vault, clock };
  const app = createApp({
    name: 'auth',
    purpose: 'Signs people in: an OpenID provider for applications, by way of the identity providers of tenants.',
    config,
    log,
    store,
    tenants,
    verifyToken,
    ready,
    routes: [
      ...providerEndpoints({ provider, clients: clientDirectory, signIns, issuer }),
      ...signInRoutes({ provider, clients: clientDirectory, kinds, records: signIns, steps, store }),
      createClient(aboutClients),
      listClients(aboutClients),
      readClient(aboutClients),
      updateClient(aboutClients),
      rotateClientSecret(aboutClients),
      deleteClient(aboutClients),
      createConnection(aboutConnections),
      listConnections(aboutConnections),
      readConnection(aboutConnections),
      updateConnection(aboutConnections),
      activateConnection(aboutConnections),
      testConnection({ connections, kinds, store }),
      deleteConnection(aboutConnections),
      listSessions({ sessions }),
      listUserSessions({ sessions }),
      terminateSession({ sessions }),
      listOwnSessions({ sessions }),
      terminateOwnSession({ sessions }),
    ],
  });

  return {
    app,
    async start() {
      await bus.subscribe('auth.tenants', tenants.handlers);
      await bus.subscribe('auth.people', followPeople({ sessions, peopleChanges }));
      await bus.subscribe('auth.connections', destroySecretOfDeletedConnection({ vault }));
    },
    stop,
  };
}
