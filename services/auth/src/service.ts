// auth: OpenID provider, relying party of the tenants' identity providers, and the sessions between the two. Every part is built and every
// slice mounted here.
import {
  contentSecurityPolicy,
  createApp,
  createFoundation,
  createTenantDirectory,
  createTokenVerifier,
  type Logger,
  type Service,
} from '@reeve/service-kit';
import { createGuardedFetch } from '@reeve/service-kit/outbound';
import { createVault, localKeyFile } from '@reeve/vault';
import type { RequestHandler } from 'express';
import { defineClients } from './clients/client.ts';
import { createClient } from './clients/create-client.ts';
import { deleteClient } from './clients/delete-client.ts';
import { listClients } from './clients/list-clients.ts';
import type { Config } from './config.ts';
import { activateConnection } from './connections/activate-connection.ts';
import { defineConnections } from './connections/connection.ts';
import { createConnection } from './connections/create-connection.ts';
import { listConnections } from './connections/list-connections.ts';
import { createAdapterFactory, defineArtifacts } from './openid-provider/artifacts.ts';
import { findClientMetadata } from './openid-provider/client-metadata.ts';
import { createProvider } from './openid-provider/openid-provider.ts';
import { defineDeactivatedUsers } from './sessions/deactivated-users.ts';
import { endSessionsWhenUserDeactivated } from './sessions/end-sessions-when-user-deactivated.ts';
import { listSessions, listUserSessions } from './sessions/list-sessions.ts';
import { defineSessions } from './sessions/session.ts';
import { createSignedInSessions } from './sessions/signed-in-sessions.ts';
import { terminateSession } from './sessions/terminate-session.ts';
import { createIdentityResolver } from './sign-in/identity-resolver.ts';
import { createRelyingParty } from './sign-in/relying-party.ts';
import { signInPages } from './sign-in/sign-in-pages.ts';
import { defineTransactions } from './sign-in/transaction.ts';
import { defineSigningKeys, loadSigningKeys } from './signing-keys/signing-keys.ts';

export async function createService(config: Config, log: Logger): Promise<Service> {
  const foundation = createFoundation('auth', config, { log });
  const { store, bus } = foundation;
  const ownIssuer = config.REEVE_ISSUER;
  const vault = createVault({ store, keys: localKeyFile(config.REEVE_VAULT_KEY_FILE) });
  const tenants = createTenantDirectory(store);
  const clients = defineClients(store);
  const connections = defineConnections(store);
  const sessions = defineSessions(store);
  const deactivatedUsers = defineDeactivatedUsers(store);
  const transactions = defineTransactions(store);
  const artifacts = defineArtifacts(store);
  const signingKeys = defineSigningKeys(store);
  const guardedFetch = createGuardedFetch({ allowedPrivateOrigins: config.REEVE_ALLOWED_PRIVATE_ORIGINS });
  const signedIn = createSignedInSessions({ sessions, deactivatedUsers, tenants, clock: store.clock });

  // The provider takes its keys when it is built, so the store has to be there before the application is.
  await foundation.start();
  const keys = await loadSigningKeys({ keys: signingKeys, vault });
  const adapter = createAdapterFactory({
    artifacts,
    findClient: findClientMetadata(clients),
    now: store.clock.now,
  });
  const provider = createProvider({
    config,
    log,
    keys,
    adapter,
    sessions: signedIn,
    tenants,
    recordFact: store.recordFact,
  });
  const resolveIdentity = createIdentityResolver({
    audience: config.REEVE_PROVISIONING_URL,
    address: config.REEVE_PROVISIONING_ADDRESS ?? config.REEVE_PROVISIONING_URL,
    issuer: ownIssuer,
    key: keys.accessToken,
  });
  const relyingParty = createRelyingParty({ vault, guardedFetch, ownIssuer });

  const app = createApp(
    {
      name: 'auth',
      config,
      log,
      store,
      tenants,
      verifyToken: createTokenVerifier(config),
      ready: foundation.ready,
    },
    {
      before: [
        signInPages({
          provider,
          connections,
          transactions,
          relyingParty,
          resolveIdentity,
          tenants,
          recordFact: store.recordFact,
          clock: store.clock,
          log,
        }),
      ],
      routes: [
        createClient({ clients, clock: store.clock }),
        listClients({ clients }),
        deleteClient({ clients }),
        createConnection({ connections, vault, guardedFetch, ownIssuer, clock: store.clock }),
        listConnections({ connections, ownIssuer }),
        activateConnection({ connections, ownIssuer }),
        listSessions({ sessions }),
        listUserSessions({ sessions }),
        terminateSession({ sessions }),
      ],
      fallback: atIssuer(ownIssuer, provider.callback()),
    },
  );

  return {
    app,
    async start() {
      await bus.subscribe('auth.tenants', tenants.handlers);
      await bus.subscribe('auth.end-sessions', endSessionsWhenUserDeactivated({ sessions, deactivatedUsers }));
    },
    stop: foundation.stop,
  };
}

/**
 * oidc-provider builds the URLs of its endpoints from the Host header: it is told the issuer's, whatever the request said. Its forms end at an
 * application's callback, and to the script that submits one of them it adds the hash itself.
 */
function atIssuer(issuer: string, handler: RequestHandler): RequestHandler {
  const { host } = new URL(issuer);
  return (request, response, next) => {
    request.headers.host = host;
    delete request.headers['x-forwarded-host'];
    response.setHeader('Content-Security-Policy', contentSecurityPolicy('anywhere'));
    return handler(request, response, next);
  };
}
