// What a delivery needs to know of its endpoint, kept for a second: a change made here counts at once, one made by another replica
// within that second.
import { BlockList, isIP } from 'node:net';
import { isId, type TenantId } from '@reeve/contracts';
import type { TenantDirectory } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import type { SigningKey } from '@reeve/webhook-signatures';
import { LRUCache } from 'lru-cache';
import { complete, type Endpoint, type Endpoints, idSource, liveSecrets } from './endpoint.ts';
import type { EndpointSecrets } from './endpoint-secrets.ts';

export type Receiver = {
  id: string;
  tenantId: TenantId;
  endpoint: Endpoint;
  /** False when it, or its tenant, takes nothing. */
  open: boolean;
  keys: SigningKey[];
  secretIds: string[];
  idSource: ReturnType<typeof idSource>;
  takesFrom: (ip: string) => boolean;
};

export type Receivers = ReturnType<typeof createReceivers>;

type Parts = { endpoints: Endpoints; secrets: EndpointSecrets; tenants: TenantDirectory; clock: Clock };

const keptMs = 1_000;

export function createReceivers({ endpoints, secrets, tenants, clock }: Parts) {
  const byId = endpoints.acrossTenants('a partner knows the endpoint and no tenant');

  async function load(id: string): Promise<Receiver | undefined> {
    const found = await byId.getByUnique('id', id);
    if (!found) return undefined;
    const { tenantId } = found;
    const endpoint = complete(found.state);
    const live = liveSecrets(endpoint, clock.now()).map(secret => secret.id);
    const [tenant, keys] = await Promise.all([
      tenants.find(tenantId),
      Promise.all(live.map(secretId => secrets.key(tenantId, secretId, endpoint))),
    ]);
    return {
      id,
      tenantId,
      endpoint,
      open: endpoint.status === 'active' && tenant?.status !== 'suspended',
      keys,
      secretIds: live,
      idSource: idSource(endpoint),
      takesFrom: addressTest(endpoint.allowedIps),
    };
  }

  const kept = new LRUCache<string, Receiver>({ max: 5_000, ttl: keptMs, fetchMethod: load });

  return {
    find: (id: string): Promise<Receiver | undefined> =>
      isId('endpoint', id) ? kept.fetch(id) : Promise.resolve(undefined),
    /** Whether it was looked up lately. */
    knows: (id: string) => kept.has(id),
    /** Call after every change of the endpoint. */
    forget: (id: string) => void kept.delete(id),
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
