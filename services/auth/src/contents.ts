// What lies in this service's database.
import type { Contents } from '@reeve/store';
import { vaultCollections } from '@reeve/vault';
import { applicationGrants } from './application-grants/application-grant.ts';
import { applications } from './applications/application.ts';
import { secretUses } from './applications/secret-uses.ts';
import { attempts } from './attempts/attempt.ts';
import { authKeys } from './auth-keys/auth-key.ts';
import { bots } from './bots/bot.ts';
import { botUsers } from './bots/bot-user.ts';
import { brandings } from './branding/branding.ts';
import { documentPolicies } from './client-documents/document-policy.ts';
import { connectionTests } from './connection-tests/connection-test.ts';
import { testSignIns } from './connection-tests/test-sign-in.ts';
import { connections } from './connections/connection.ts';
import { revisions } from './connections/connection-revision.ts';
import { secretNames } from './connections/connection-secret.ts';
import { watches } from './connections/connection-watch.ts';
import { recordsOfKinds } from './connections/kinds/registry.ts';
import { domains } from './domains/domain.ts';
import { embeds } from './embed/embed.ts';
import { embedFailures } from './embed/embed-failure.ts';
import { handOffs } from './embed/hand-off.ts';
import { factors } from './factors/factor.ts';
import { assertionIssuers } from './identity-assertions/assertion-issuer.ts';
import { assistantPolicies } from './identity-assertions/assistant-policy.ts';
import { usedIdentityAssertions } from './identity-assertions/used-assertions.ts';
import { logoutNotices } from './logout-notices/logout-notice.ts';
import { mailDays } from './mail/mail-budget.ts';
import { artifacts } from './openid-provider/artifacts.ts';
import { browserLogins } from './openid-provider/browser-logins.ts';
import { deviceCodes } from './openid-provider/device-codes.ts';
import { grants } from './openid-provider/grants.ts';
import { usedOnce } from './openid-provider/replay-detection.ts';
import { usedSignals } from './provider-signals/used-signals.ts';
import { resourceServers } from './resource-servers/resource-server.ts';
import { familiars } from './sessions/familiar.ts';
import { peopleChanges } from './sessions/people-changes.ts';
import { sessions } from './sessions/session.ts';
import { signOutsAtProviders } from './sessions/single-logout.ts';
import { setupLinks } from './setup-links/setup-link.ts';
import { signIns } from './sign-in/sign-in.ts';
import { signals } from './signal-streams/signal.ts';
import { streams } from './signal-streams/stream.ts';
import { signingKeys } from './signing-keys/signing-key.ts';
import { statusLists } from './status-lists/status-lists.ts';
import { stepUpPolicies } from './step-up-policies/step-up-policy.ts';
import { surfacePolicies } from './surface-policies/surface-policy.ts';
import { vouchingPolicies } from './vouching/vouching-policy.ts';

export const contents: Contents = {
  collections: [
    attempts,
    authKeys,
    brandings,
    bots,
    botUsers,
    applications,
    applicationGrants,
    documentPolicies,
    secretUses,
    resourceServers,
    connections,
    revisions,
    secretNames,
    watches,
    mailDays,
    domains,
    embeds,
    embedFailures,
    factors,
    stepUpPolicies,
    assertionIssuers,
    assistantPolicies,
    vouchingPolicies,
    setupLinks,
    connectionTests,
    sessions,
    logoutNotices,
    peopleChanges,
    familiars,
    surfacePolicies,
    signingKeys,
    streams,
    signals,
    ...vaultCollections,
  ],
  platformRecords: [
    handOffs,
    signIns,
    grants,
    browserLogins,
    artifacts,
    usedOnce,
    deviceCodes,
    signOutsAtProviders,
    testSignIns,
    usedSignals,
    usedIdentityAssertions,
    statusLists,
    ...recordsOfKinds,
  ],
};
