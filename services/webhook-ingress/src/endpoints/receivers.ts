// What a delivery needs to know of its endpoint, and how much the endpoint takes. Kept for a second: a change made here
// counts at once, one made by another replica within that second. Keys are read from the vault on the record and kept
// for longer, so that `secret.accessed` says which process got hold of a secret, and a storm of deliveries is not a
// storm of events.
import { BlockList, isIP } from 'node:net';
import { type Id, isId, newEventId, ProblemError, serviceCause, type TenantId } from '@reeve/contracts';
import type { TenantDirectory } from '@reeve/service-kit';
import type { Clock, Collections } from '@reeve/store';
import type { Vault } from '@reeve/vault';
import { keyOf, type SigningKey } from '@reeve/webhook-signatures';
import { LRUCache } from 'lru-cache';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { type Endpoint, type Endpoints, idSource, liveSecrets } from './endpoint.ts';
import { type SecretUse, secretClass } from './endpoint-secrets.ts';

export type Receiver = {
  id: Id<'endpoint'>;
  tenantId: TenantId;
  endpoint: Endpoint;
  /** `paused` while its tenant is suspended. */
  status: Endpoint['status'] | 'paused';
  keys: SigningKey[];
  /** Of the keys, in their order. */
  secretIds: string[];
  idSource: ReturnType<typeof idSource>;
  takesFrom: (ip: string) => boolean;
};

export type Receivers = ReturnType<typeof createReceivers>;

type Parts = {
  endpoints: Endpoints;
  secretUses: Collections<SecretUse>;
  vault: Vault;
  tenants: TenantDirectory;
  clock: Clock;
  limited: boolean;
};

const keptMs = 1_000;
const keysKeptMs = 300_000;
const useNotedEveryMs = 60_000;
const firstCosts = 10;
/** Of what is known already. */
const repetitionCosts = 1;
const tenantPerSecond = 5_000;
const lookUpsPerMinute = 12_000;

export function createReceivers({ endpoints, secretUses, vault, tenants, clock, limited }: Parts) {
  const byId = endpoints.acrossTenants('a partner knows the endpoint and no tenant');
  const keys = new LRUCache<string, SigningKey>({ max: 20_000, ttl: keysKeptMs });
  const noted = new LRUCache<string, true>({ max: 20_000, ttl: useNotedEveryMs });
  const kept = new LRUCache<Id<'endpoint'>, Receiver>({
    max: 5_000,
    ttl: keptMs,
    fetchMethod: load,
    // What is forgotten while it is loaded is not kept, and whoever waits for it gets it all the same.
    ignoreFetchAbort: true,
  });
  const limits = createLimits(limited);

  async function load(id: Id<'endpoint'>): Promise<Receiver | undefined> {
    const found = await byId.getByUnique('id', id);
    if (!found) return undefined;
    const { tenantId, state: endpoint } = found;
    const secretIds = liveSecrets(endpoint, clock.now()).map(secret => secret.id);
    const [tenant, live] = await Promise.all([
      tenants.find(tenantId),
      Promise.all(secretIds.map(secretId => keyFor(tenantId, secretId, endpoint))),
    ]);
    return {
      id,
      tenantId,
      endpoint,
      status: endpoint.status === 'active' && tenant?.status === 'suspended' ? 'paused' : endpoint.status,
      keys: live,
      secretIds,
      idSource: idSource(endpoint),
      takesFrom: addressTest(endpoint.allowedIps),
    };
  }

  async function keyFor(tenantId: TenantId, id: string, { scheme, signature }: Endpoint): Promise<SigningKey> {
    const known = keys.get(id);
    if (known) return known;
    const cause = serviceCause('webhook-ingress', { correlationId: newEventId() });
    const secret = await vault.read(tenantId, { secretClass, id }, { cause, purpose: 'verify_deliveries' });
    const key = keyOf(scheme, secret.toString('utf8'), { use: 'verify', settings: signature });
    keys.set(id, key);
    return key;
  }

  return {
    /** What is behind an id that nobody has costs a look-up each time: an address has only so many of them. */
    async find(id: string, ip: string | null): Promise<Receiver | undefined> {
      if (!isId('endpoint', id)) return undefined;
      if (!kept.has(id)) await limits.lookUp(ip ?? '');
      return kept.fetch(id);
    },

    /** For what is under way already, which no limit stops. */
    findAgain: (id: Id<'endpoint'>): Promise<Receiver | undefined> => kept.fetch(id),

    charge: limits.charge,

    /** Notes that a delivery was signed with that key: at most once a minute, and nobody waits for it. */
    noteUse({ tenantId, secretIds }: Receiver, key: number, at: Date) {
      const id = secretIds[key];
      if (id === undefined || noted.has(id)) return;
      noted.set(id, true);
      secretUses
        .in(tenantId)
        .put(id, { lastUsedAt: at.toISOString() })
        .catch(() => noted.delete(id));
    },

    /** Call after every change of the endpoint. */
    forget: (id: Id<'endpoint'>) => void kept.delete(id),
  };
}

/** How much is taken by this replica. Each throws `rate_limited` with the seconds to wait. */
export function createLimits(limited: boolean) {
  const byRate = new Map<number, RateLimiterMemory>();
  const perTenant = new RateLimiterMemory({ points: tenantPerSecond * firstCosts, duration: 1 });
  const lookUps = new RateLimiterMemory({ points: lookUpsPerMinute, duration: 60 });

  function limiterOf(perSecond: number): RateLimiterMemory {
    const limiter =
      byRate.get(perSecond) ??
      new RateLimiterMemory({ points: perSecond * firstCosts, duration: 1, keyPrefix: String(perSecond) });
    byRate.set(perSecond, limiter);
    return limiter;
  }

  async function take(limiter: RateLimiterMemory, key: string, cost: number): Promise<void> {
    try {
      await limiter.consume(key, cost);
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      const retryAfterSeconds = Math.max(1, Math.ceil(error.msBeforeNext / 1_000));
      throw new ProblemError('rate_limited', undefined, { retryAfterSeconds });
    }
  }

  return {
    /** Of an address that asks for endpoints. */
    async lookUp(ip: string): Promise<void> {
      if (limited) await take(lookUps, ip, 1);
    },

    /** Of an endpoint, and of its tenant. */
    async charge(
      { id, tenantId, endpoint }: Pick<Receiver, 'id' | 'tenantId'> & { endpoint: Pick<Endpoint, 'limits'> },
      { repetition }: { repetition: boolean },
    ): Promise<void> {
      if (!limited) return;
      const cost = repetition ? repetitionCosts : firstCosts;
      await take(limiterOf(endpoint.limits.perSecond), id, cost);
      await take(perTenant, tenantId, cost);
    },
  };
}

function addressTest(ranges: readonly string[]): (ip: string) => boolean {
  if (ranges.length === 0) return () => true;
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return ip => isIP(ip) !== 0 && list.check(ip, isIP(ip) === 4 ? 'ipv4' : 'ipv6');
}
