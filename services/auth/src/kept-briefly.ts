// What a sign-in looks up again and again: asked of the store once a second at most. Of a change that another instance
// has made it is known that much later, and of one that this instance has made at once, if it says so.
import { LRUCache } from 'lru-cache';

const keptMs = 1_000;

/** `load` by what it is asked for. What is on its way counts as kept, so that many who ask at once ask once. */
export function keptBriefly<K extends string, V>(load: (key: K) => Promise<V>, { most }: { most: number }) {
  const kept = new LRUCache<K, Promise<V>>({ max: most, ttl: keptMs });
  return {
    /** As it was a second ago at most. */
    of(key: K): Promise<V> {
      const known = kept.get(key);
      if (known) return known;
      const loading = load(key);
      kept.set(key, loading);
      // Whoever comes next may have more luck.
      loading.catch(() => {
        if (kept.get(key) === loading) kept.delete(key);
      });
      return loading;
    },

    forget: (key: K): void => void kept.delete(key),
  };
}
