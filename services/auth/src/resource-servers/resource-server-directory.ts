// Resource servers as the OpenID provider looks them up: by the URL that an application names.
import { LRUCache } from 'lru-cache';
import { canonical, type ResourceServer, type ResourceServers } from './resource-server.ts';

export type ResourceServerDirectory = ReturnType<typeof createResourceServerDirectory>;

/** Of a change that another instance has made it is known this much later. */
const keptMs = 1_000;

/** `own` are the URLs of Reeve's own services, the issuer among them, which are none of these and need no look. */
type Parts = { resourceServers: ResourceServers; own: readonly string[] };

const originOf = (identifier: string) => URL.parse(identifier)?.origin ?? identifier;

export function createResourceServerDirectory({ resourceServers, own }: Parts) {
  const kept = new LRUCache<string, ResourceServer>({ max: 1_000, ttl: keptMs });

  return {
    /** Written as it was registered; null for any other. */
    async find(identifier: string): Promise<ResourceServer | null> {
      const known = kept.get(identifier);
      if (known || own.includes(identifier)) return known ?? null;
      const entry = await resourceServers.getByUnique('identifier', canonical(identifier));
      if (entry?.state.identifier !== identifier) return null;
      kept.set(identifier, entry.state);
      return entry.state;
    },

    /**
     * Whether it is the URL of an API that is registered here, or anything at the host of one of Reeve's own services
     * (an endpoint too is a name that they may be known by), however it is written.
     */
    isOwn: async (identifier: string): Promise<boolean> =>
      own.some(one => originOf(one) === originOf(identifier)) ||
      (await resourceServers.getByUnique('identifier', canonical(identifier))) !== null,

    forget: (identifier: string): void => void kept.delete(identifier),
  };
}
