// What a session store has to do, and one in memory. Keys are hashes of what browsers hold, and values are sealed under
// it: whoever reads a store is signed in nowhere, and has no token.
import { LRUCache } from 'lru-cache';

export type StoredEntry = {
  value: string;
  until: Date;
  /** By which entries are found that end together: the issuer's session and the person. Absent for what is not a session. */
  sid?: string;
  sub?: string;
};

export type SessionStore = {
  /** Null for one that is not there, or is over. */
  get(key: string): Promise<StoredEntry | null>;
  /** Only where there is none of the key; false where there is one. */
  add(key: string, entry: StoredEntry): Promise<boolean>;
  /** Only where there is one of the key; false where there is none. */
  replace(key: string, entry: StoredEntry): Promise<boolean>;
  /** Removes it; false where it was gone: of several who take one, one gets true. */
  take(key: string): Promise<boolean>;
  /** Removes all of that session at the issuer, or all of that person. */
  removeAllOf(who: { sid: string } | { sub: string }): Promise<void>;
};

const mostEntries = 100_000;

/** For development and for a single process: what it holds ends with it. */
export function createMemoryStore({ now = () => Date.now() }: { now?: () => number } = {}): SessionStore {
  const entries = new LRUCache<string, StoredEntry>({ max: mostEntries });

  function find(key: string): StoredEntry | null {
    const found = entries.get(key);
    if (found && found.until.getTime() > now()) return found;
    entries.delete(key);
    return null;
  }

  return {
    get: async key => find(key),
    async add(key, entry) {
      if (find(key)) return false;
      entries.set(key, entry);
      return true;
    },
    async replace(key, entry) {
      if (!find(key)) return false;
      entries.set(key, entry);
      return true;
    },
    take: async key => find(key) !== null && entries.delete(key),
    async removeAllOf(who) {
      for (const [key, { sid, sub }] of entries.entries())
        if ('sid' in who ? sid === who.sid : sub === who.sub) entries.delete(key);
    },
  };
}
