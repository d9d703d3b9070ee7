// connector-consent: which connectors a tenant has, who consented to what, and the tokens that came of it. Every part
// is built and every route mounted here.
import { createBrowserSessions } from '@reeve/browser-session';
import {
  createApp,
  createFoundation,
  createTenantDirectory,
  diagnosticsRoutes,
  type Logger,
  type Service,
} from '@reeve/service-kit';
import { createGuardedFetch, insideFor } from '@reeve/service-kit/outbound';
import { createVault, dataKeyRoutes, destroySecretsOfDeletedTenants, openKeyManagement } from '@reeve/vault';
import { loadCatalogue } from './catalogue/catalogue.ts';
import { listConnectors } from './catalogue/list-connectors.ts';
import type { Config } from './config.ts';
import { completeConnection } from './connections/complete-connection.ts';
import { createThirdParty, pendingConnections } from './connections/third-party.ts';
import { answerConsent, createFindConsentRequest, showConsent } from './consents/ask-for-consent.ts';
import { consents as consentsOf } from './consents/consent.ts';
import { listConsents } from './consents/list-consents.ts';
import { listOwnConsents } from './consents/list-own-consents.ts';
import { revokeConsent } from './consents/revoke-consent.ts';
import { createRevokeConsents, revokeConsentsWhenTheirGroundEnds } from './consents/revoke-consents.ts';
import { revokeOwnConsent } from './consents/revoke-own-consent.ts';
import { contents } from './contents.ts';
import { createDelegatedTokens, delegatedTokens as tokensOf } from './delegated-tokens/delegated-tokens.ts';
import { endTokenWhenConsentChanges } from './delegated-tokens/end-token-when-consent-changes.ts';
import { leaseToken } from './delegated-tokens/lease-token.ts';
import { readConnection } from './delegated-tokens/read-connection.ts';
import { approveInstallation } from './installations/approve-installation.ts';
import { installations as installationsOf } from './installations/installation.ts';
import { listInstallations } from './installations/list-installations.ts';
import { readInstallation } from './installations/read-installation.ts';
import { requestInstallation } from './installations/request-installation.ts';
import { uninstall } from './installations/uninstall.ts';

export function createService(config: Config, log: Logger): Service {
  const keyManagement = openKeyManagement(config);
  const foundation = createFoundation('connector-consent', config, {
    log,
    contents,
    needs: keyManagement.assertUsable,
  });
  const { store, bus, standing, verifyToken, ready, stop } = foundation;
  const { clock } = store;
  const selfUrl = config.REEVE_SELF_URL;
  const tenants = createTenantDirectory(store);
  const catalogue = loadCatalogue(config.REEVE_CATALOGUE_FILE);
  const installations = store.collection(installationsOf);
  const consents = store.collection(consentsOf);
  const vault = createVault({ store, keys: keyManagement });
  const delegatedTokens = createDelegatedTokens({ tokens: store.collection(tokensOf), consents, vault, store });
  const fetch = createGuardedFetch(insideFor(config, 'connectors'));
  const thirdParty = createThirdParty({
    fetch,
    redirectUri: `${selfUrl}/connect/callback`,
    pendingConnections: store.platformRecords(pendingConnections),
    clock,
  });
  const findConsentRequest = createFindConsentRequest({ installations, clock });
  const revokeConsents = createRevokeConsents({ consents });
  const browserSessions = createBrowserSessions({
    store,
    standing,
    name: 'reeve_consent',
    selfUrl,
    issuer: {
      url: config.REEVE_ISSUER,
      address: config.REEVE_ISSUER_ADDRESS,
      clientId: 'reeve-consent',
      clientSecret: config.REEVE_CONSENT_CLIENT_SECRET,
    },
    // That of the consent request in the path of a page, or of what a third party returns somebody for.
    tenantOf: async ({ params: { consentRequestId: asked }, request: { query } }) =>
      asked === undefined ? thirdParty.tenantOf(query['state']) : (await findConsentRequest(asked)).tenantId,
  });
  const page = { findConsentRequest, catalogue, tenants, clock };

  const app = createApp({
    name: 'connector-consent',
    purpose: 'Which connectors a tenant has installed, who consented to what, and the tokens that third parties gave.',
    config,
    log,
    store,
    tenants,
    verifyToken,
    assertSignIn: foundation.assertSignIn,
    authenticate: { browser: browserSessions.authenticate },
    ready,
    routes: [
      ...diagnosticsRoutes(foundation, { fetch }),
      listConnectors({ catalogue }),
      requestInstallation({ installations, catalogue, clock, selfUrl }),
      approveInstallation({ installations, clock, selfUrl }),
      listInstallations({ installations, selfUrl }),
      readInstallation({ installations, selfUrl }),
      uninstall({ installations, selfUrl }),
      listConsents({ installations, consents, clock }),
      revokeConsent({ consents, clock }),
      listOwnConsents({ consents, clock }),
      revokeOwnConsent({ consents, clock }),
      readConnection({ installations, delegatedTokens }),
      leaseToken({ installations, consents, delegatedTokens, clock }),
      showConsent(page),
      answerConsent({ ...page, installations, consents, thirdParty, standing }),
      completeConnection({ installations, consents, delegatedTokens, thirdParty, catalogue, clock }),
      ...browserSessions.routes,
      ...dataKeyRoutes({ store, keys: keyManagement }),
    ],
  });

  return {
    app,
    async start() {
      await foundation.start();
      await bus.subscribe('connector-consent.tenants', {
        ...tenants.handlers,
        ...destroySecretsOfDeletedTenants({ vault, service: 'connector-consent' }),
      });
      await bus.subscribe('connector-consent.browser-sessions', browserSessions.handlers);
      await bus.subscribe('connector-consent.end-grants', {
        ...revokeConsentsWhenTheirGroundEnds({ revokeConsents }),
        ...endTokenWhenConsentChanges({ consents, delegatedTokens }),
      });
    },
    stop,
  };
}
