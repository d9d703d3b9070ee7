// Applications as the OpenID provider and the sign-in look them up: by id alone, before any tenant is known. Three of
// Reeve's own come from the environment, those that nobody registered from what they say at their id, which is a URL,
// and all others from the store.
import { timingSafeEqual } from 'node:crypto';
import { platformTenantId, type TenantId } from '@reeve/contracts';
import type { Clock } from '@reeve/store';
import { LRUCache } from 'lru-cache';
import { accountApplication } from '../account/account-application.ts';
import { signInApplication } from '../bots/sign-in-application.ts';
import type { ClientDocuments } from '../client-documents/client-documents.ts';
import { isDocumentId } from '../client-documents/document-id.ts';
import type { Config } from '../config.ts';
import { type Applications, sha256 } from './application.ts';
import { isServed, type KnownApplication } from './known-application.ts';

export type ApplicationDirectory = ReturnType<typeof createApplicationDirectory>;

/** Of a change that another instance has made it is known this much later; of its revocation at once. */
const keptMs = 1_000;

type Parts = { applications: Applications; documents: ClientDocuments; config: Config; clock: Clock };

export function createApplicationDirectory({ applications, documents, config, clock }: Parts) {
  const all = applications.acrossTenants('an application names only its id when it authenticates');
  const own = new Map(ownApplications(config).map(application => [application.id, application]));
  const kept = new LRUCache<string, KnownApplication>({ max: 10_000, ttl: keptMs });

  async function findNow(id: string): Promise<KnownApplication | null> {
    const known = own.get(id);
    if (known) return known;
    // Kept by whoever reads it, as long as it may be.
    if (isDocumentId(id)) return documents.find(id);
    const entry = await all.getByUnique('id', id);
    if (!entry) return null;
    const now = clock.now().toISOString();
    const { secrets, createdAt: _, deletedAt: __, ...state } = entry.state;
    const application = {
      ...state,
      id,
      tenantId: entry.tenantId === platformTenantId ? null : entry.tenantId,
      isPlatform: false,
      secrets: secrets.filter(({ expiresAt }) => expiresAt === null || expiresAt > now).map(one => one.sha256),
    };
    kept.set(id, application);
    return application;
  }

  const find = async (id: string): Promise<KnownApplication | null> => kept.get(id) ?? findNow(id);

  return {
    /** As it was a second ago at most. */
    find,

    /**
     * For whoever is asked about its tokens, by somebody else: what a stranger's server says, and how long it takes for
     * it, is of no account then.
     */
    findUnread: (id: string): Promise<KnownApplication | null> =>
      isDocumentId(id) ? documents.findUnread(id) : find(id),

    /** Whether it may have to do with people and data of that tenant, by what the tenant says as well. */
    serves: async (application: KnownApplication, tenantId: TenantId): Promise<boolean> =>
      isServed(application, tenantId) &&
      (!application.document || (await documents.isServed(application.id, tenantId))),

    /** Whether there are any that nobody registered. */
    takesDocuments: documents.areTaken,

    /** As it is now: for whoever authenticates as it. */
    findNow,

    forget: (id: string): void => void kept.delete(id),
  };
}

/** The hash of the secret that was given; null where it is none of the application's. */
export function secretAmong({ secrets }: KnownApplication, given: string): string | null {
  const hash = Buffer.from(sha256(given), 'hex');
  const found = secrets.filter(secret => timingSafeEqual(Buffer.from(secret, 'hex'), hash));
  return found[0] ?? null;
}

/** The platform team's own, the consent service, which signs people in, and the pages of accounts. */
function ownApplications(config: Config): KnownApplication[] {
  const usual: Omit<
    KnownApplication,
    'id' | 'kind' | 'name' | 'grantTypes' | 'redirectUris' | 'isPlatform' | 'secrets'
  > = {
    postLogoutRedirectUris: [],
    backchannelLogoutUri: null,
    initiateLoginUri: null,
    origins: [],
    authentication: { method: 'client_secret' },
    tenantId: null,
    tenants: 'all',
    defaultResource: null,
    defaultScopes: [],
    areas: null,
    surface: null,
    pkceRequired: true,
    dpopRequired: false,
    securityProfile: null,
    tokensFrom: null,
  };
  return [
    {
      ...usual,
      id: config.REEVE_PLATFORM_CLIENT_ID,
      kind: 'machine',
      name: 'Platform',
      grantTypes: ['client_credentials'],
      redirectUris: [],
      isPlatform: true,
      secrets: [sha256(config.REEVE_PLATFORM_CLIENT_SECRET)],
    },
    {
      ...usual,
      id: 'reeve-consent',
      kind: 'web',
      name: 'Reeve consent',
      grantTypes: ['authorization_code'],
      redirectUris: [`${config.REEVE_CONSENT_URL}/sign-in/callback`],
      // A person's token of the consent service is for its own pages, and administers nothing.
      areas: [],
      isPlatform: false,
      secrets: [sha256(config.REEVE_CONSENT_CLIENT_SECRET)],
    },
    { ...usual, ...accountApplication(config.REEVE_ISSUER), isPlatform: false, secrets: [] },
    { ...usual, ...signInApplication(config.REEVE_ISSUER), isPlatform: false, secrets: [] },
  ];
}
