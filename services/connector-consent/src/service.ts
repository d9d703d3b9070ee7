// connector-consent: which connectors a tenant has, who consented to what, and the tokens that came of it. Every part is built and every
// slice mounted here.
import {
  createApp,
  createFoundation,
  createTenantDirectory,
  createTokenVerifier,
  type Logger,
  type Service,
} from '@reeve/service-kit';
import { createGuardedFetch } from '@reeve/service-kit/outbound';
import { createVault, localKeyFile } from '@reeve/vault';
import { createBrowserSessions, defineBrowserSessions } from './browser-sessions/browser-sessions.ts';
import { createOwnIssuer } from './browser-sessions/own-issuer.ts';
import { loadCatalogue } from './catalogue/catalogue.ts';
import { listConnectors } from './catalogue/list-connectors.ts';
import type { Config } from './config.ts';
import { defineConsents } from './consents/consent.ts';
import { consentPages, defineTransactions } from './consents/consent-pages.ts';
import { createEndGrants } from './consents/end-grants.ts';
import { listConsents } from './consents/list-consents.ts';
import { revokeConsent } from './consents/revoke-consent.ts';
import { revokeConsentsWhenUserDeactivated } from './consents/revoke-consents-when-user-deactivated.ts';
import { createDelegatedTokens, defineDelegatedTokens } from './delegated-tokens/delegated-tokens.ts';
import { leaseToken } from './delegated-tokens/lease-token.ts';
import { readConnection } from './delegated-tokens/read-connection.ts';
import { createThirdParty } from './delegated-tokens/third-party.ts';
import { approveInstallation } from './installations/approve-installation.ts';
import { defineInstallations } from './installations/installation.ts';
import { listInstallations, readInstallation } from './installations/read-installations.ts';
import { requestInstallation } from './installations/request-installation.ts';
import { uninstall } from './installations/uninstall.ts';

export function createService(config: Config, log: Logger): Service {
  const foundation = createFoundation('connector-consent', config, { log });
  const { store, bus } = foundation;
  const { clock } = store;
  const selfUrl = config.REEVE_SELF_URL;
  const vault = createVault({ store, keys: localKeyFile(config.REEVE_VAULT_KEY_FILE) });
  const tenants = createTenantDirectory(store);
  const installations = defineInstallations(store);
  const consents = defineConsents(store);
  const delegatedTokens = createDelegatedTokens({ tokens: defineDelegatedTokens(store), vault });
  const browserSessions = createBrowserSessions({
    records: defineBrowserSessions(store),
    clock,
    secure: selfUrl.startsWith('https:'),
  });
  const catalogue = loadCatalogue(config.REEVE_CATALOGUE_FILE);
  const endGrants = createEndGrants({ consents, delegatedTokens });
  const pages = consentPages({
    installations,
    consents,
    delegatedTokens,
    catalogue,
    browserSessions,
    tenants,
    clock,
    log,
    ...defineTransactions(store),
    thirdParty: createThirdParty({
      guardedFetch: createGuardedFetch({ allowedPrivateOrigins: config.REEVE_ALLOWED_PRIVATE_ORIGINS }),
      redirectUri: `${selfUrl}/connect/callback`,
    }),
    ownIssuer: createOwnIssuer({
      issuer: config.REEVE_ISSUER,
      address: config.REEVE_ISSUER_ADDRESS ?? config.REEVE_ISSUER,
      clientSecret: config.REEVE_CONSENT_CLIENT_SECRET,
      redirectUri: `${selfUrl}/sign-in/callback`,
    }),
  });

  const app = createApp(
    {
      name: 'connector-consent',
      config,
      log,
      store,
      tenants,
      verifyToken: createTokenVerifier(config),
      ready: foundation.ready,
    },
    {
      before: [pages],
      routes: [
        listConnectors({ catalogue }),
        requestInstallation({ installations, catalogue, clock, selfUrl }),
        approveInstallation({ installations, clock, selfUrl }),
        listInstallations({ installations, selfUrl }),
        readInstallation({ installations, selfUrl }),
        uninstall({ installations, endGrants, selfUrl }),
        listConsents({ consents, clock }),
        revokeConsent({ consents, endGrants, clock }),
        readConnection({ installations, delegatedTokens }),
        leaseToken({ consents, delegatedTokens, clock }),
      ],
    },
  );

  return {
    app,
    async start() {
      await foundation.start();
      await bus.subscribe('connector-consent.tenants', tenants.handlers);
      await bus.subscribe('connector-consent.end-grants', revokeConsentsWhenUserDeactivated({ endGrants }));
      await bus.subscribe('connector-consent.browser-sessions', browserSessions.handlers);
    },
    stop: foundation.stop,
  };
}
