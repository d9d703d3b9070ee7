// Clients as the OpenID provider and the sign-in look them up: by id alone, before any tenant is known. Those of
// tenants from the store, those of the platform from the environment.
import { timingSafeEqual } from 'node:crypto';
import type { Area } from '@reeve/access';
import type { TenantId } from '@reeve/contracts';
import type { Clock } from '@reeve/store';
import { LRUCache } from 'lru-cache';
import type { Config } from '../config.ts';
import { type Client, type Clients, sha256 } from './client.ts';

export type KnownClient = Pick<
  Client,
  | 'name'
  | 'grantTypes'
  | 'redirectUris'
  | 'postLogoutRedirectUris'
  | 'initiateLoginUri'
  | 'surface'
  | 'pkceRequired'
  | 'tokensFrom'
> & {
  id: string;
  /** Null for a client of the platform, which acts in whichever tenant. */
  tenantId: TenantId | null;
  /** Of the platform team: it may ask for `platform:admin`, and what it does is on the record of the tenant. */
  isPlatform: boolean;
  areas: Area[] | null;
  /** SHA-256 of the secrets that count now, the newest first. */
  secrets: readonly string[];
};

export type ClientDirectory = ReturnType<typeof createClientDirectory>;

/** Of a change that another instance has made it is known this much later; of its revocation at once. */
const keptMs = 1_000;

export function createClientDirectory({ clients, config, clock }: { clients: Clients; config: Config; clock: Clock }) {
  const all = clients.acrossTenants('a client names only its id when it authenticates');
  const ofPlatform = new Map(platformClients(config).map(client => [client.id, client]));
  const kept = new LRUCache<string, KnownClient>({ max: 10_000, ttl: keptMs });

  async function findNow(id: string): Promise<KnownClient | null> {
    const known = ofPlatform.get(id);
    if (known) return known;
    const entry = await all.getByUnique('id', id);
    if (!entry) return null;
    const now = clock.now().toISOString();
    const secrets = entry.state.secrets.filter(({ expiresAt }) => expiresAt === null || expiresAt > now);
    const client = {
      ...entry.state,
      id,
      tenantId: entry.tenantId,
      isPlatform: false,
      secrets: secrets.map(secret => secret.sha256),
    };
    kept.set(id, client);
    return client;
  }

  return {
    /** As it was a second ago at most. */
    find: async (id: string): Promise<KnownClient | null> => kept.get(id) ?? findNow(id),

    /** As it is now: for whoever authenticates as it. */
    findNow,

    forget: (id: string): void => void kept.delete(id),
  };
}

export function holdsSecret({ secrets }: KnownClient, given: string): boolean {
  const hash = Buffer.from(sha256(given), 'hex');
  return secrets.filter(secret => timingSafeEqual(Buffer.from(secret, 'hex'), hash)).length > 0;
}

/** What the platform gives by the environment: its own client, and the consent service, which signs people in. */
function platformClients(config: Config): KnownClient[] {
  const nothing = {
    postLogoutRedirectUris: [],
    initiateLoginUri: null,
    tenantId: null,
    areas: null,
    surface: null,
    pkceRequired: true,
    tokensFrom: null,
  };
  return [
    {
      ...nothing,
      id: config.REEVE_PLATFORM_CLIENT_ID,
      name: 'Platform',
      grantTypes: ['client_credentials'],
      redirectUris: [],
      isPlatform: true,
      secrets: [sha256(config.REEVE_PLATFORM_CLIENT_SECRET)],
    },
    {
      ...nothing,
      id: 'reeve-consent',
      name: 'Reeve consent',
      grantTypes: ['authorization_code'],
      redirectUris: [`${config.REEVE_CONSENT_URL}/sign-in/callback`],
      // A person's token of the consent service is for its own pages, and administers nothing.
      areas: [],
      isPlatform: false,
      secrets: [sha256(config.REEVE_CONSENT_CLIENT_SECRET)],
    },
  ];
}
