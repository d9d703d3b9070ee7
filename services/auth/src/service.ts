// auth: OpenID provider, relying party of the tenants' identity providers, and the sessions between the two. Every part
// is built and every route mounted here.
import { createAccess } from '@reeve/access';
import { isId, mattersUntil, platformTenantId, revocationDraft } from '@reeve/contracts';
import { createRelyingParty } from '@reeve/relying-party';
import {
  createApp,
  createFoundation,
  createTenantDirectory,
  diagnosticsRoutes,
  type Logger,
  type Service,
} from '@reeve/service-kit';
import { createGuardedNetwork, insideFor } from '@reeve/service-kit/outbound';
import { openPlaces } from '@reeve/service-kit/places';
import { createVault, dataKeyRoutes, destroySecretsOfDeletedTenants, openKeyManagement } from '@reeve/vault';
import { createFetchLimits } from './abuse/fetch-limits.ts';
import { createWrongGuesses } from './abuse/wrong-guesses.ts';
import { accountRoutes } from './account/account-routes.ts';
import { createAtBrowser } from './account/at-browser.ts';
import { createAllowed } from './application-grants/allowed.ts';
import { applicationGrants as applicationGrantsOf } from './application-grants/application-grant.ts';
import { createAskConsent } from './application-grants/ask-consent.ts';
import { applicationGrantRoutes } from './application-grants/grant-routes.ts';
import { withdrawGrantsOfDeletedPeople } from './application-grants/withdraw-grants-of-deleted-people.ts';
import { applications as applicationsOf } from './applications/application.ts';
import { createApplicationDirectory } from './applications/application-directory.ts';
import { createApplication } from './applications/create-application.ts';
import { deleteApplication } from './applications/delete-application.ts';
import { listApplications, readApplication } from './applications/read-applications.ts';
import { rotateApplicationSecret } from './applications/rotate-secret.ts';
import { createNoteSecretUse, secretUses as secretUsesOf } from './applications/secret-uses.ts';
import { updateApplication } from './applications/update-application.ts';
import { attempts as attemptsOf, recordAttempts } from './attempts/attempt.ts';
import { listAttempts, readAttempt } from './attempts/read-attempts.ts';
import { authKeys as authKeysOf } from './auth-keys/auth-key.ts';
import { createAuthKeyDirectory } from './auth-keys/auth-key-directory.ts';
import { deleteAuthKey, updateAuthKey } from './auth-keys/change-auth-key.ts';
import { createAuthKey } from './auth-keys/create-auth-key.ts';
import { listAuthKeys, readAuthKey } from './auth-keys/read-auth-keys.ts';
import { createAtBot } from './bots/at-bot.ts';
import { bots as botsOf } from './bots/bot.ts';
import { botUsers as botUsersOf } from './bots/bot-user.ts';
import { deleteBot, updateBot } from './bots/change-bot.ts';
import { createBot } from './bots/create-bot.ts';
import { createExchangeToken } from './bots/exchange-token.ts';
import { forgetDeletedPeopleAtBots } from './bots/forget-deleted-people.ts';
import { invokeRoutes } from './bots/invoke.ts';
import { listBots, readBot } from './bots/read-bots.ts';
import { createRedeemCode } from './bots/redeem-code.ts';
import { createSignInLinks } from './bots/sign-in-links.ts';
import { signInPageRoutes } from './bots/sign-in-page.ts';
import { signOutUsersOfDeletedBots } from './bots/sign-out-users-of-deleted-bots.ts';
import { timeOutSignIns } from './bots/time-out-sign-ins.ts';
import { userTokenRoutes } from './bots/user-token-routes.ts';
import { createUserTokens } from './bots/user-tokens.ts';
import { createBrandDirectory } from './branding/brand-directory.ts';
import { brandings as brandingsOf } from './branding/branding.ts';
import { readBranding } from './branding/read-branding.ts';
import { setBranding } from './branding/set-branding.ts';
import { createClientDocuments } from './client-documents/client-documents.ts';
import { documentPolicies as documentPoliciesOf } from './client-documents/document-policy.ts';
import { createDocumentPolicyDirectory } from './client-documents/document-policy-directory.ts';
import { documentPolicyRoutes } from './client-documents/document-policy-routes.ts';
import type { Config } from './config.ts';
import { connectionTests as connectionTestsOf } from './connection-tests/connection-test.ts';
import { createTestSignIn, testSignIns as testSignInsOf } from './connection-tests/test-sign-in.ts';
import { activateConnection } from './connections/activate-connection.ts';
import { connections as connectionsOf } from './connections/connection.ts';
import { createConnectionAdministration } from './connections/connection-administration.ts';
import { createChangeConnection } from './connections/connection-changes.ts';
import { createConnectionDirectory } from './connections/connection-directory.ts';
import { connectionDocuments } from './connections/connection-documents.ts';
import { revisions as revisionsOf } from './connections/connection-revision.ts';
import { createConnectionSecrets, secretNames as secretNamesOf } from './connections/connection-secret.ts';
import { watches as watchesOf } from './connections/connection-watch.ts';
import { createConnection } from './connections/create-connection.ts';
import { clearAwayDeletedConnection, deleteConnection } from './connections/delete-connection.ts';
import { giveUpReleasedDomain } from './connections/give-up-released-domain.ts';
import { readGrade } from './connections/grade/read-grade.ts';
import { createKinds } from './connections/kinds/registry.ts';
import { listConnections } from './connections/list-connections.ts';
import { listConnectionRevisions } from './connections/list-revisions.ts';
import { createRefreshMetadata } from './connections/metadata-refresh.ts';
import { previewClaims } from './connections/preview-claims.ts';
import { readConnection } from './connections/read-connection.ts';
import { refreshConnectionMetadata } from './connections/refresh-metadata.ts';
import { createRehearseChange } from './connections/rehearse-change.ts';
import { rehearseConnection } from './connections/rehearse-connection.ts';
import { rollBackConnection } from './connections/rollback-connection.ts';
import { rotateConnectionKey } from './connections/rotate-key.ts';
import { testConnection } from './connections/test-connection.ts';
import { updateConnection } from './connections/update-connection.ts';
import { watchChangedConnections } from './connections/watch-changed-connections.ts';
import { watchConnections } from './connections/watch-connections.ts';
import { contents } from './contents.ts';
import { createDelegatedSessions } from './delegated-sessions/delegated-sessions.ts';
import { claimDomain } from './domains/claim-domain.ts';
import { domains as domainsOf } from './domains/domain.ts';
import { createDomainDirectory } from './domains/domain-directory.ts';
import { forgetDeletedConnection } from './domains/forget-deleted-connection.ts';
import { listDomains } from './domains/list-domains.ts';
import { createTxtLookup } from './domains/look-up-txt.ts';
import { createProofChecks } from './domains/proof-checks.ts';
import { readDomain } from './domains/read-domain.ts';
import { recheckDomains } from './domains/recheck-domains.ts';
import { releaseDomain } from './domains/release-domain.ts';
import { updateDomain } from './domains/update-domain.ts';
import { verifyDomain } from './domains/verify-domain.ts';
import { createAdmitPage } from './embed/admit-page.ts';
import { createAssertEmbedded } from './embed/assert-embedded.ts';
import { createBegunHere } from './embed/begun-here.ts';
import { embeds as embedsOf } from './embed/embed.ts';
import { createEmbedDirectory } from './embed/embed-directory.ts';
import { embedFailures as embedFailuresOf } from './embed/embed-failure.ts';
import type { EmbedRequests } from './embed/embed-request.ts';
import { embedRoutes } from './embed/embed-routes.ts';
import { createHandOff, handOffs } from './embed/hand-off.ts';
import { createNoteFailures } from './embed/note-failure.ts';
import { createTellFailedSignIn } from './embed/tell-failed-sign-in.ts';
import { createAssertFactorShown } from './factors/assert-factor-shown.ts';
import { factors as factorsOf } from './factors/factor.ts';
import { forgetDeletedPeople } from './factors/forget-deleted-people.ts';
import { createLapseLevels } from './factors/lapse-levels.ts';
import { listFactors, removeFactor, resetFactors } from './factors/mfa-factors.ts';
import { beginOwnFactor, confirmOwnFactor, listOwnFactors, removeOwnFactor } from './factors/own-factors.ts';
import { passkeyScript } from './factors/passkey-script.ts';
import { relyingPartyOf } from './factors/passkeys.ts';
import { createPersonalFactors } from './factors/personal-factors.ts';
import { createEnforceDomain } from './home-realm/enforce-domain.ts';
import { explainHomeRealm } from './home-realm/explain-home-realm.ts';
import { createHomeRealm } from './home-realm/know-realm.ts';
import { assertionIssuers as assertionIssuersOf } from './identity-assertions/assertion-issuer.ts';
import { assistantPolicies as assistantPoliciesOf } from './identity-assertions/assistant-policy.ts';
import { createAssistantPolicyDirectory } from './identity-assertions/assistant-policy-directory.ts';
import { assertionIssuerRoutes } from './identity-assertions/change-assertion-issuer.ts';
import { assistantPolicyRoutes } from './identity-assertions/change-assistant-policy.ts';
import { forgetConnection } from './identity-assertions/end-tokens.ts';
import { createJudgeAssertion } from './identity-assertions/judge-assertion.ts';
import { usedIdentityAssertions } from './identity-assertions/used-assertions.ts';
import { createVouchedBy } from './identity-assertions/vouched-by.ts';
import { listLogoutNotices } from './logout-notices/list-logout-notices.ts';
import { logoutNotices as logoutNoticesOf } from './logout-notices/logout-notice.ts';
import { oweLogoutNotices } from './logout-notices/owe-logout-notices.ts';
import { sendLogoutNotices } from './logout-notices/send-logout-notices.ts';
import { createMailBudget, mailDays } from './mail/mail-budget.ts';
import { createMailer } from './mail/mailer.ts';
import { createAdapterFactory } from './openid-provider/adapter.ts';
import { artifactAdapter, artifacts } from './openid-provider/artifacts.ts';
import { browserLoginAdapter, browserLogins } from './openid-provider/browser-logins.ts';
import { deviceCodeAdapter, deviceCodes } from './openid-provider/device-codes.ts';
import { providerEndpoints } from './openid-provider/endpoints.ts';
import { createGrantStore, grants as grantsOf } from './openid-provider/grants.ts';
import { createProvider } from './openid-provider/openid-provider.ts';
import { replayDetectionAdapter, usedOnce } from './openid-provider/replay-detection.ts';
import { requestScope } from './openid-provider/request-scope.ts';
import { createServe } from './openid-provider/serve.ts';
import { createEndSessionsOf } from './provider-signals/end-sessions.ts';
import { receiveSignals } from './provider-signals/receive-signals.ts';
import { revokeGlobally } from './provider-signals/revoke-globally.ts';
import { usedSignals } from './provider-signals/used-signals.ts';
import { deleteResourceServer, updateResourceServer } from './resource-servers/change-resource-server.ts';
import { createResourceServer } from './resource-servers/create-resource-server.ts';
import { listResourceServers, readResourceServer } from './resource-servers/read-resource-servers.ts';
import { resourceServers as resourceServersOf } from './resource-servers/resource-server.ts';
import { createResourceServerDirectory } from './resource-servers/resource-server-directory.ts';
import { createSeal } from './seal.ts';
import { createCatchUp } from './sessions/catch-up.ts';
import { endSessionsAtLogout } from './sessions/end-sessions-at-logout.ts';
import { expireSessions } from './sessions/expire-sessions.ts';
import { familiars as familiarsOf } from './sessions/familiar.ts';
import { followPeople } from './sessions/follow-people.ts';
import { listOwnSessions, listSessions, listUserSessions, readSession } from './sessions/list-sessions.ts';
import { createLiveSessions } from './sessions/live-sessions.ts';
import { peopleChanges as peopleChangesOf } from './sessions/people-changes.ts';
import { revocationFeed } from './sessions/revocation-feed.ts';
import { sessions as sessionsOf } from './sessions/session.ts';
import { createSingleLogout, signOutsAtProviders } from './sessions/single-logout.ts';
import {
  terminateOwnSession,
  terminateOwnSessions,
  terminateSession,
  terminateUserSessions,
} from './sessions/terminate-session.ts';
import { createSetupLink } from './setup-links/create-setup-link.ts';
import { endLinksOfMakers } from './setup-links/end-links-of-makers.ts';
import { createFindLink } from './setup-links/find-link.ts';
import { listSetupLinks, readSetupLink } from './setup-links/read-setup-links.ts';
import { revokeSetupLink } from './setup-links/revoke-setup-link.ts';
import { setupLinks as setupLinksOf } from './setup-links/setup-link.ts';
import { setupRoutes } from './setup-links/setup-routes.ts';
import { createIdentityResolver } from './sign-in/identity-resolver.ts';
import { leaveAtOnce } from './sign-in/leave-at-once.ts';
import { createSignInRecords, signIns as signInsOf } from './sign-in/sign-in.ts';
import { signInRoutes } from './sign-in/sign-in-routes.ts';
import { beginSession } from './sign-in/steps/begin-session.ts';
import { chooseHomeRealm } from './sign-in/steps/choose-home-realm.ts';
import { confirmLink } from './sign-in/steps/confirm-link.ts';
import { goToProvider } from './sign-in/steps/go-to-provider.ts';
import { resolvePerson } from './sign-in/steps/resolve-person.ts';
import { returnFromProvider } from './sign-in/steps/return-from-provider.ts';
import { secondFactor } from './sign-in/steps/second-factor.ts';
import { configureStream } from './signal-streams/configure-stream.ts';
import { controlStream } from './signal-streams/control-stream.ts';
import { listSignalStreams } from './signal-streams/list-streams.ts';
import { pollSignals } from './signal-streams/poll-signals.ts';
import { pushSignals } from './signal-streams/push-signals.ts';
import { createQueue, queueSignals } from './signal-streams/queue-signals.ts';
import { signals as signalsOf } from './signal-streams/signal.ts';
import { ssfConfiguration } from './signal-streams/ssf-configuration.ts';
import { streams as streamsOf } from './signal-streams/stream.ts';
import { createStreamSecrets } from './signal-streams/stream-secrets.ts';
import { listSigningKeys, rotateSigningKey } from './signing-keys/rotate-signing-key.ts';
import { signingKeys as signingKeysOf } from './signing-keys/signing-key.ts';
import { createSigningKeys } from './signing-keys/signing-keys.ts';
import { readStatusList } from './status-lists/read-status-list.ts';
import { createStatusLists, statusLists as statusListsOf } from './status-lists/status-lists.ts';
import { createAssertSignIn } from './step-up-policies/assert-signed-in.ts';
import { readStepUpPolicy } from './step-up-policies/read-step-up-policy.ts';
import { setStepUpPolicy } from './step-up-policies/set-step-up-policy.ts';
import { stepUpPolicies as stepUpPoliciesOf } from './step-up-policies/step-up-policy.ts';
import { createStepUpPolicyDirectory } from './step-up-policies/step-up-policy-directory.ts';
import { resetSurfacePolicy, setSurfacePolicy } from './surface-policies/change-surface-policy.ts';
import { listSurfacePolicies, readSurfacePolicy } from './surface-policies/read-surface-policies.ts';
import { surfacePolicies as surfacePoliciesOf } from './surface-policies/surface-policy.ts';
import { createSurfacePolicyDirectory } from './surface-policies/surface-policy-directory.ts';
import { createUsedOnce } from './used-once.ts';
import { vouchingPolicyRoutes } from './vouching/change-vouching-policy.ts';
import { vouchingPolicies as vouchingPoliciesOf } from './vouching/vouching-policy.ts';

export async function createService(config: Config, log: Logger): Promise<Service> {
  const keyManagement = openKeyManagement(config);
  const foundation = createFoundation('auth', config, {
    log,
    contents,
    needs: keyManagement.assertUsable,
    own: {
      // What it may do is asked of the store anew.
      hearOfClient: id => applicationDirectory.forget(id),
      async isSessionLive(tenantId, sessionId) {
        return isId('session', sessionId) && live.isLive({ tenantId, sessionId });
      },
    },
  });
  const { store, bus, verifyToken, ready, stop } = foundation;
  const { clock } = store;
  const issuer = config.REEVE_ISSUER;
  const applications = store.collection(applicationsOf);
  const secretUses = store.collection(secretUsesOf);
  const resourceServers = store.collection(resourceServersOf).in(platformTenantId);
  const connections = store.collection(connectionsOf);
  const revisions = store.collection(revisionsOf);
  const watches = store.collection(watchesOf);
  const domains = store.collection(domainsOf);
  const attempts = store.collection(attemptsOf);
  const sessions = store.collection(sessionsOf);
  const peopleChanges = store.collection(peopleChangesOf);

  const vault = createVault({ store, keys: keyManagement });
  const tenants = createTenantDirectory(store);
  const documentPolicies = store.collection(documentPoliciesOf);
  const documentPolicyDirectory = createDocumentPolicyDirectory({ policies: documentPolicies });
  const documents = createClientDocuments({
    policies: documentPolicyDirectory,
    limits: createFetchLimits({ isLimited: config.REEVE_RATE_LIMITS === 'on' }),
    allowedPrivateOrigins: config.REEVE_ALLOWED_PRIVATE_ORIGINS,
    clock,
    log,
  });
  const applicationDirectory = createApplicationDirectory({ applications, documents, config, clock });
  const grantsOfPeople = store.collection(applicationGrantsOf);
  const allowed = createAllowed({ grants: grantsOfPeople, clock });
  const resourceServerDirectory = createResourceServerDirectory({
    resourceServers,
    own: [issuer, ...config.REEVE_RESOURCES],
  });
  const domainDirectory = createDomainDirectory({ domains });
  const connectionDirectory = createConnectionDirectory({ connections, domains: domainDirectory });
  const authKeys = store.collection(authKeysOf);
  const authKeyDirectory = createAuthKeyDirectory({ authKeys });
  const embeds = store.collection(embedsOf);
  const embedDirectory = createEmbedDirectory({ embeds });
  const embedFailures = store.collection(embedFailuresOf);
  const notingFailures = createNoteFailures({
    failures: embedFailures,
    clock,
    onError: error => log.warn({ error }, 'what a page met with is not on the record'),
  });
  const embedRequests: EmbedRequests = createSeal(config.REEVE_COOKIE_KEYS, 'embed-request');
  const aboutEmbedded = {
    requests: embedRequests,
    handOff: createHandOff({ records: store.platformRecords(handOffs), clock }),
    begunHere: createBegunHere({ issuer }),
  };
  const brandings = store.collection(brandingsOf);
  const brands = createBrandDirectory({ brandings });
  const homeRealm = createHomeRealm({
    tenants,
    connections: connectionDirectory,
    authKeys: authKeyDirectory,
    domains: domainDirectory,
  });
  const enforceDomain = createEnforceDomain({ domains: domainDirectory });
  const surfacePolicies = store.collection(surfacePoliciesOf);
  const surfacePolicyDirectory = createSurfacePolicyDirectory({ policies: surfacePolicies });
  const network = createGuardedNetwork(insideFor(config, 'identity_providers'));
  const toApplications = createGuardedNetwork(insideFor(config, 'applications'));
  const toStrangers = createGuardedNetwork({ allowedPrivateOrigins: config.REEVE_ALLOWED_PRIVATE_ORIGINS });
  const kinds = createKinds({ vault, network, store, clock, ownIssuer: issuer });
  const policies = store.collection(stepUpPoliciesOf);
  const stepUpPolicies = createStepUpPolicyDirectory({ policies });
  const live = createLiveSessions({
    sessions,
    tenants,
    enforceDomain,
    policies: surfacePolicyDirectory,
    stepUpPolicies,
    clock,
    countsFrom: () => foundation.restored.last()?.at ?? null,
  });
  const product = config.REEVE_PRODUCT_NAME || 'Reeve';
  const personal = createPersonalFactors({
    factors: store.collection(factorsOf),
    vault,
    clock,
    product,
    rp: relyingPartyOf(issuer, product),
  });
  const aboutFactors = {
    personal,
    lapseLevels: createLapseLevels({ sessions }),
    assertFactorShown: createAssertFactorShown({ personal, live, clock }),
    sessions,
  };
  const singleLogout = createSingleLogout({
    connections: connectionDirectory,
    kinds,
    policies: surfacePolicyDirectory,
    records: store.platformRecords(signOutsAtProviders),
    clock,
    log,
  });
  const signIns = createSignInRecords({ records: store.platformRecords(signInsOf), clock });
  const grants = createGrantStore({
    records: store.platformRecords(grantsOf),
    clock,
    keys: config.REEVE_COOKIE_KEYS,
    graceMs: config.REEVE_REFRESH_GRACE_SECONDS * 1_000,
    tellOfEnd: (tenantId, id) =>
      store.recordFact(
        tenantId,
        revocationDraft({ kind: 'grant', id, until: mattersUntil(clock.now()) }),
        requestScope().cause,
      ),
  });

  // The provider takes its keys when it is built, so the store has to be there before the application is.
  await foundation.start();
  const keys = await createSigningKeys({
    keys: store.collection(signingKeysOf),
    vault,
    clock,
    onError: error => log.warn({ error }, 'signing keys will be looked at again'),
  });
  const statusLists = createStatusLists({
    records: store.platformRecords(statusListsOf),
    standing: foundation.standing,
    issuer,
    secret: config.REEVE_COOKIE_KEYS[0] ?? '',
    clock,
  });
  const identities = createIdentityResolver({
    audience: config.REEVE_PROVISIONING_URL,
    address: config.REEVE_PROVISIONING_ADDRESS ?? config.REEVE_PROVISIONING_URL,
    issuer,
    key: () => keys.signing('accessToken'),
  });
  const catchUp = createCatchUp({ sessions, live, peopleChanges });
  const assertionIssuers = store.collection(assertionIssuersOf);
  const assistantPolicies = store.collection(assistantPoliciesOf);
  const assistantPolicyDirectory = createAssistantPolicyDirectory({ policies: assistantPolicies });
  const aboutAssistants = {
    issuers: assertionIssuers,
    policies: assistantPolicies,
    directory: assistantPolicyDirectory,
    connections,
    kinds,
    network,
    applications: applicationDirectory,
    resourceServers: resourceServerDirectory,
    ownIssuer: issuer,
    clock,
  };
  const vouchingPolicies = store.collection(vouchingPoliciesOf);
  const delegated = createDelegatedSessions({
    sessions,
    live,
    connections: connectionDirectory,
    identities,
    enforceDomain,
    policies: surfacePolicyDirectory,
    catchUp,
    statusLists,
    clock,
  });
  const aboutProvider = {
    assertEmbedded: createAssertEmbedded({ issuer, requests: embedRequests, now: () => clock.now().getTime() }),
    config,
    log,
    keys,
    grants,
    live,
    tenants,
    store,
    singleLogout,
    authKeys: authKeyDirectory,
    stepUpPolicies,
    clock,
    applications: applicationDirectory,
    resourceServers: resourceServerDirectory,
    statusLists,
    allowed,
    vouchedBy: createVouchedBy({ directory: assistantPolicyDirectory, connections: connectionDirectory }),
    assertions: {
      judge: createJudgeAssertion({
        ...aboutAssistants,
        connections: connectionDirectory,
        tenants,
        domains: domainDirectory,
        enforceDomain,
        // Not that of sign-ins: strangers must not use up how often those may ask an issuer for its keys.
        readSigned: createRelyingParty({ fetch: network.fetch }).readSigned,
      }),
      used: createUsedOnce(store.platformRecords(usedIdentityAssertions)),
      delegated,
      identities,
    },
    vouchingPolicies,
    fetch: toApplications.fetch,
    fetchOfStrangers: toStrangers.fetch,
    adapter: createAdapterFactory({
      applications: applicationDirectory,
      signIns,
      grants,
      login: browserLoginAdapter({ records: store.platformRecords(browserLogins), clock }),
      artifact: model => artifactAdapter({ records: store.platformRecords(artifacts), clock, model }),
      deviceCode: deviceCodeAdapter({ records: store.platformRecords(deviceCodes), clock }),
      replayDetection: replayDetectionAdapter({ records: store.platformRecords(usedOnce), clock }),
    }),
  };
  const ofConnection = { connections: connectionDirectory, kinds };
  const places = config.REEVE_GEOIP_FILE === undefined ? null : await openPlaces(config.REEVE_GEOIP_FILE);
  const steps = {
    'choose-home-realm': chooseHomeRealm({
      homeRealm,
      connections: connectionDirectory,
      applications: applicationDirectory,
    }),
    'go-to-provider': goToProvider(ofConnection),
    'return-from-provider': returnFromProvider(ofConnection),
    'confirm-link': confirmLink({ ...ofConnection, identities, enforceDomain, live, clock }),
    'resolve-person': resolvePerson({ ...ofConnection, identities, enforceDomain, store, clock }),
    'second-factor': secondFactor({ personal, policies: stepUpPolicies, sessions, live, peopleChanges, clock }),
    'begin-session': beginSession({
      sessions,
      live,
      policies: surfacePolicyDirectory,
      catchUp,
      statusLists,
      familiars: store.collection(familiarsOf),
      places,
      clock,
    }),
  };
  const ofSignIn = {
    steps,
    records: signIns,
    recordAttempt: recordAttempts(attempts),
    tellFailedSignIn: createTellFailedSignIn({
      ...aboutEmbedded,
      issuer,
      tenants,
      embeds: embedDirectory,
      now: () => clock.now().getTime(),
    }),
    applications: applicationDirectory,
    tenants,
    brands,
    store,
  };
  const newProvider = () => {
    const made = createProvider(aboutProvider);
    leaveAtOnce(made, ofSignIn);
    return made;
  };
  let provider = newProvider();
  const serving = createServe({ provider: () => provider, issuer });
  const watchingKeys = keys.watch(() => {
    provider = newProvider();
  });

  const aboutAuthKeys = { authKeys, directory: authKeyDirectory, connections, clock };
  const ofBots = {
    bots: store.collection(botsOf),
    users: store.collection(botUsersOf),
    applications: applicationDirectory,
    authKeys: authKeyDirectory,
    connections: connectionDirectory,
    resourceServers: resourceServerDirectory,
    kinds,
    delegated,
    live,
    stepUpPolicies,
    brands,
    statusLists,
    keys: config.REEVE_COOKIE_KEYS,
    provider: () => provider,
    issuer,
    clock,
    log,
  };
  const atBots = createAtBot(ofBots);
  const tokens = createUserTokens({ ...ofBots, atBots, keys });
  const ofSignInAtBots = { ...ofBots, atBots, tokens };
  const aboutBots = {
    ...ofSignInAtBots,
    links: createSignInLinks(ofBots),
    redeemCode: createRedeemCode(ofSignInAtBots),
    exchangeToken: createExchangeToken(ofSignInAtBots),
  };
  const timingOut = timeOutSignIns({
    ...ofBots,
    onError: error => log.warn({ error }, 'a sign-in at a bot that is over will be looked at again'),
  });
  const aboutApplications = { applications, uses: secretUses, directory: applicationDirectory, clock };
  const noteSecretUse = createNoteSecretUse({
    uses: secretUses,
    clock,
    onError: error => log.warn({ error }, 'when a client secret was used could not be noted'),
  });
  const aboutResourceServers = {
    resourceServers,
    directory: resourceServerDirectory,
    own: [issuer, ...config.REEVE_RESOURCES],
    clock,
  };
  const secrets = createConnectionSecrets({ vault, names: store.collection(secretNamesOf) });
  const changeConnection = createChangeConnection({
    connections,
    revisions,
    secrets,
    directory: connectionDirectory,
    clock,
  });
  const links = store.collection(setupLinksOf);
  const tests = store.collection(connectionTestsOf);
  const testSignIn = createTestSignIn({
    records: store.platformRecords(testSignInsOf),
    tests,
    connections,
    kinds,
    enforceDomain,
    store,
    clock,
  });
  const administration = createConnectionAdministration({
    connections,
    changeConnection,
    revisions,
    directory: connectionDirectory,
    domains: domainDirectory,
    kinds,
    secrets,
    clock,
  });
  const aboutConnections = {
    administration,
    connections,
    changeConnection,
    revisions,
    refreshMetadata: createRefreshMetadata({ kinds, changeConnection, clock }),
    directory: connectionDirectory,
    domains: domainDirectory,
    kinds,
    ownIssuer: issuer,
    vault,
    clock,
  };
  const access = createAccess();
  const aboutSignals = {
    connections: connectionDirectory,
    kinds,
    tenants,
    endSessionsOf: createEndSessionsOf({ sessions, peopleChanges, identities, clock }),
    once: createUsedOnce(store.platformRecords(usedSignals)),
    issuer,
    clock,
    log,
  };
  const streams = store.collection(streamsOf);
  const aboutStreams = {
    streams,
    signals: store.collection(signalsOf),
    secrets: createStreamSecrets({ vault }),
    sessions,
    tenants,
    network: toApplications,
    fetch: toApplications.fetch,
    // The interoperability profile of CAEP wants RS256.
    key: () => keys.signing('idToken'),
    issuer,
    clock,
    log,
  };
  const pushing = pushSignals(aboutStreams);
  const rehearseChange = createRehearseChange({ attempts, kinds });
  const aboutProofs = {
    domains,
    directory: domainDirectory,
    lookUpTxt: createTxtLookup(config.REEVE_DNS_SERVERS),
    clock,
  };
  const aboutDomains = {
    domains,
    directory: domainDirectory,
    connections,
    checks: createProofChecks(aboutProofs),
    clock,
    isLimited: config.REEVE_RATE_LIMITS === 'on',
  };
  const expiring = expireSessions({
    sessions,
    policies: surfacePolicyDirectory,
    clock,
    onError: error => log.warn({ error }, 'a session that is over will be looked at again'),
  });
  const aboutSessions = { sessions, peopleChanges, connections, places, clock };
  const atBrowser = createAtBrowser({
    provider: () => provider,
    live,
    stepUpPolicies,
    clock,
    issuer,
    keys: config.REEVE_COOKIE_KEYS,
  });
  const wrongGuesses = createWrongGuesses({ isLimited: config.REEVE_RATE_LIMITS === 'on' });
  const aboutSurfaces = { policies: surfacePolicies, directory: surfacePolicyDirectory, clock };
  const notices = store.collection(logoutNoticesOf);
  const notifying = sendLogoutNotices({
    notices,
    applications: applicationDirectory,
    keys,
    issuer,
    fetch: toApplications.fetch,
    clock,
    onError: error => log.warn({ error }, 'an application will be told again that a session has ended'),
  });
  const from = config.REEVE_MAIL_FROM ?? `no-reply@${new URL(issuer).hostname}`;
  const mailer = config.REEVE_SMTP_URL ? createMailer({ url: config.REEVE_SMTP_URL, from }) : null;
  const watching = watchConnections({
    ...aboutConnections,
    watches,
    mailer,
    mailBudget: createMailBudget({ days: store.collection(mailDays), clock }),
    refreshEveryMs: config.REEVE_METADATA_REFRESH_HOURS * 3_600_000,
    onError: error => log.warn({ error }, 'a connection will be looked at again'),
  });
  const rechecking = recheckDomains({
    ...aboutDomains,
    onError: error => log.warn({ error }, 'a domain will be checked again'),
  });
  const app = createApp({
    name: 'auth',
    purpose: 'Signs people in: an OpenID provider for applications, by way of the identity providers of tenants.',
    config,
    log,
    store,
    tenants,
    verifyToken,
    authenticate: { browser: atBrowser.authenticate },
    access,
    ready,
    assertSignIn: createAssertSignIn({ policies: stepUpPolicies }),
    routes: [
      ...diagnosticsRoutes(foundation, network),
      ...providerEndpoints({
        serving,
        applications: applicationDirectory,
        noteSecretUse,
        signIns,
        wrongGuesses,
        admitPage: createAdmitPage({ tenants, embeds: embedDirectory }),
      }),
      ...embedRoutes({
        ...aboutEmbedded,
        noteFailure: notingFailures.note,
        failures: embedFailures,
        embeds,
        directory: embedDirectory,
        allConnections: connections,
        kinds,
        resourceServers: resourceServerDirectory,
        identities,
        tenants,
        brands,
        authKeys: authKeyDirectory,
        connections: connectionDirectory,
        applications: applicationDirectory,
        grants,
        live,
        keys: config.REEVE_COOKIE_KEYS,
        issuer,
        clock,
      }),
      ...signInRoutes({
        ...ofSignIn,
        provider: () => provider,
        serving,
        connections: connectionDirectory,
        kinds,
        testSignIn,
        askConsent: createAskConsent({
          allowed,
          applications: applicationDirectory,
          resourceServers: resourceServerDirectory,
          live,
          tenants,
          brands,
          store,
          keys: config.REEVE_COOKIE_KEYS,
        }),
        wrongGuesses,
        issuer,
        log,
      }),
      ...endSessionsAtLogout({ sessions, connections: connectionDirectory, kinds, singleLogout, log }),
      ...connectionDocuments({ kinds, directory: connectionDirectory }),
      ...createApplication(aboutApplications),
      ...listApplications(aboutApplications),
      ...readApplication(aboutApplications),
      ...updateApplication(aboutApplications),
      ...rotateApplicationSecret(aboutApplications),
      ...deleteApplication(aboutApplications),
      createResourceServer(aboutResourceServers),
      listResourceServers(aboutResourceServers),
      readResourceServer(aboutResourceServers),
      updateResourceServer(aboutResourceServers),
      deleteResourceServer(aboutResourceServers),
      listSigningKeys({ keys }),
      rotateSigningKey({ keys }),
      ...dataKeyRoutes({ store, keys: keyManagement }),
      createConnection(aboutConnections),
      listConnections(aboutConnections),
      readConnection(aboutConnections),
      updateConnection(aboutConnections),
      activateConnection(aboutConnections),
      testConnection({ connections, kinds, store }),
      previewClaims({ connections, directory: connectionDirectory, identities }),
      readGrade({ connections, kinds }),
      rehearseConnection({ connections, kinds, rehearseChange }),
      refreshConnectionMetadata(aboutConnections),
      rotateConnectionKey(aboutConnections),
      listConnectionRevisions(aboutConnections),
      rollBackConnection(aboutConnections),
      deleteConnection(aboutConnections),
      ...setupRoutes({
        ...aboutConnections,
        links,
        findLink: createFindLink({ links, tenants }),
        tests,
        testSignIn,
        rehearseChange,
        tenants,
        brands,
        isMailSent: mailer !== null,
      }),
      passkeyScript(),
      listFactors(aboutFactors),
      removeFactor(aboutFactors),
      resetFactors(aboutFactors),
      listOwnFactors(aboutFactors),
      beginOwnFactor(aboutFactors),
      confirmOwnFactor(aboutFactors),
      removeOwnFactor(aboutFactors),
      readStepUpPolicy({ policies }),
      setStepUpPolicy({ policies, directory: stepUpPolicies, connections }),
      createSetupLink({ links, connections, issuer, clock }),
      listSetupLinks({ links }),
      readSetupLink({ links }),
      revokeSetupLink({ links, clock }),
      claimDomain(aboutDomains),
      listDomains(aboutDomains),
      readDomain(aboutDomains),
      updateDomain(aboutDomains),
      verifyDomain(aboutDomains),
      releaseDomain(aboutDomains),
      createAuthKey(aboutAuthKeys),
      listAuthKeys(aboutAuthKeys),
      readAuthKey(aboutAuthKeys),
      updateAuthKey(aboutAuthKeys),
      deleteAuthKey(aboutAuthKeys),
      createBot(aboutBots),
      listBots(aboutBots),
      readBot(aboutBots),
      updateBot(aboutBots),
      deleteBot(aboutBots),
      ...userTokenRoutes(aboutBots),
      ...invokeRoutes(aboutBots),
      ...signInPageRoutes(aboutBots),
      readBranding({ brandings }),
      setBranding({ brandings, directory: brands }),
      explainHomeRealm({ homeRealm, applications: applicationDirectory }),
      listAttempts({ attempts }),
      readAttempt({ attempts }),
      ...documentPolicyRoutes({ policies: documentPolicies, directory: documentPolicyDirectory }),
      ...assertionIssuerRoutes(aboutAssistants),
      ...assistantPolicyRoutes(aboutAssistants),
      ...vouchingPolicyRoutes({
        policies: vouchingPolicies,
        applications: applicationDirectory,
        resourceServers: resourceServerDirectory,
        clock,
      }),
      ...applicationGrantRoutes({ grants: grantsOfPeople, clock }),
      ...listSurfacePolicies(aboutSurfaces),
      ...readSurfacePolicy(aboutSurfaces),
      ...setSurfacePolicy(aboutSurfaces),
      ...resetSurfacePolicy(aboutSurfaces),
      listSessions(aboutSessions),
      listUserSessions(aboutSessions),
      readSession(aboutSessions),
      terminateSession(aboutSessions),
      terminateUserSessions(aboutSessions),
      listLogoutNotices({ notices }),
      listOwnSessions(aboutSessions),
      terminateOwnSession(aboutSessions),
      ...terminateOwnSessions(aboutSessions),
      ...accountRoutes({ ...aboutSessions, grants: grantsOfPeople, live, browserLogins: atBrowser }),
      receiveSignals(aboutSignals),
      ssfConfiguration({ issuer }),
      ...configureStream(aboutStreams),
      ...controlStream({ ...aboutStreams, queue: createQueue({ ...aboutStreams, pushNow: pushing.lookNow }) }),
      pollSignals(aboutStreams),
      listSignalStreams(aboutStreams),
      revokeGlobally({ ...aboutSignals, verifyToken, access }),
      readStatusList({
        statusLists,
        key: () => keys.signing('accessToken'),
        standing: foundation.standing,
        longestSilenceMs: config.REEVE_REVOCATION_SILENCE_SECONDS * 1_000,
      }),
      revocationFeed({ standing: foundation.standing }),
    ],
  });

  return {
    app,
    async start() {
      await bus.subscribe('auth.tenants', {
        ...tenants.handlers,
        ...destroySecretsOfDeletedTenants({ vault, service: 'auth' }),
      });
      await bus.subscribe('auth.people', followPeople({ sessions, peopleChanges }));
      await bus.subscribe('auth.session-expiry', expiring.handlers);
      await bus.subscribe(
        'auth.logout-notices',
        oweLogoutNotices({
          notices,
          sessions,
          applications: applicationDirectory,
          clock,
          sendNow: notifying.lookNow,
        }),
      );
      await bus.subscribe('auth.factors', forgetDeletedPeople(aboutFactors));
      await bus.subscribe('auth.application-grants', withdrawGrantsOfDeletedPeople({ grants: grantsOfPeople, clock }));
      await bus.subscribe('auth.connections', {
        ...clearAwayDeletedConnection({ secrets, revisions, watches, clock }),
        ...watchChangedConnections({ connections, watches, clock }),
        ...giveUpReleasedDomain(aboutConnections),
      });
      await bus.subscribe('auth.assistants', forgetConnection(aboutAssistants));
      await bus.subscribe('auth.signal-streams', queueSignals({ ...aboutStreams, pushNow: pushing.lookNow }));
      await bus.subscribe('auth.bots', {
        ...signOutUsersOfDeletedBots(ofBots),
        ...forgetDeletedPeopleAtBots(ofBots),
      });
      await bus.subscribe('auth.setup-links', endLinksOfMakers({ links, clock }));
      await bus.subscribe('auth.domains', forgetDeletedConnection(aboutDomains));
      watching.start();
      pushing.start();
      rechecking.start();
      notifying.start();
      timingOut.start();
      notingFailures.start();
      expiring.worker.start();
    },
    async stop() {
      statusLists.stop();
      await Promise.all([
        watching.stop(),
        pushing.stop(),
        rechecking.stop(),
        notifying.stop(),
        timingOut.stop(),
        notingFailures.stop(),
        expiring.worker.stop(),
        watchingKeys.stop(),
      ]);
      mailer?.close();
      await stop();
    },
  };
}
