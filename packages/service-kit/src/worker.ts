// Work that nobody waits for, done again and again: whatever is due is begun, so much of it at a time, and of one
// tenant only a part of that, so that those of a tenant whose work takes long do not keep everybody else's waiting; and
// all tenants whose work takes long have a part of it together, since there may be many of them.
import type { TenantId } from '@reeve/contracts';
import { createRounds } from '@reeve/store';
import { LRUCache } from 'lru-cache';

/** A piece of work. */
export type Due = { tenantId: TenantId; id: string };

export type WorkerParts<D extends Due, T> = {
  /**
   * At most so many of those that are due, longest overdue first; none of the tenants in `except`. What is under way
   * may be among them still.
   */
  due: (limit: number, except: readonly TenantId[]) => Promise<readonly D[]>;
  /** Makes it this process's to do; null where another one has it. */
  take: (of: D) => Promise<T | null>;
  /** Does it. What was done is due again when the work has written so; what failed is tried again after a while. */
  work: (taken: T) => Promise<unknown>;
  atOnce: number;
  /** All that are done at once, where it is left out. */
  ofOneTenant?: number;
  /** Where it is left out, nothing takes long. */
  long?: { fromMs: number; atOnce: number };
  /** How often it is looked for what is due, while nothing is. */
  everyMs: number;
  onError: (error: unknown) => void;
};

/** A tenant whose work took long is expected to for this time. */
const longForMs = 600_000;
const mostLong = 1_000;

const keyOf = ({ tenantId, id }: Due): string => `${tenantId} ${id}`;

export function worker<D extends Due, T>(parts: WorkerParts<D, T>) {
  const { due, take, work, atOnce, ofOneTenant = atOnce, everyMs, onError } = parts;
  const { fromMs = Infinity, atOnce: longAtOnce = atOnce } = parts.long ?? {};
  const underWay = new Map<string, Promise<void>>();
  /** What failed since the last round: it would fail again, and again. */
  const failed = new Set<string>();
  const ofTenant = new Map<TenantId, number>();
  const takesLong = new LRUCache<TenantId, true>({ max: mostLong, ttl: longForMs });
  /** Whether the last look left something behind. */
  let isMore = false;
  let looking: Promise<void> | undefined;

  function begin(one: D, taken: T): void {
    const { tenantId } = one;
    ofTenant.set(tenantId, (ofTenant.get(tenantId) ?? 0) + 1);
    const began = performance.now();
    const working = Promise.resolve(taken)
      .then(work)
      .then(
        () => undefined,
        (error: unknown) => {
          failed.add(keyOf(one));
          onError(error);
        },
      )
      .finally(() => {
        underWay.delete(keyOf(one));
        if (performance.now() - began > fromMs) takesLong.set(tenantId, true);
        const left = (ofTenant.get(tenantId) ?? 1) - 1;
        if (left > 0) ofTenant.set(tenantId, left);
        else ofTenant.delete(tenantId);
        if (isMore) void lookOnce();
      });
    underWay.set(keyOf(one), working);
  }

  function isFull(tenantId: TenantId): boolean {
    if ((ofTenant.get(tenantId) ?? 0) >= ofOneTenant) return true;
    if (!takesLong.has(tenantId)) return false;
    let long = 0;
    for (const [one, count] of ofTenant) if (takesLong.has(one)) long += count;
    return long >= longAtOnce;
  }

  async function look(): Promise<void> {
    isMore = true;
    while (underWay.size < atOnce && !rounds.isStopped()) {
      const full = [...new Set([...ofTenant.keys(), ...takesLong.keys()])].filter(isFull);
      const limit = atOnce + failed.size;
      const found = await due(limit, full);
      let begun = 0;
      for (const one of found) {
        if (underWay.size >= atOnce || rounds.isStopped()) return;
        if (underWay.has(keyOf(one)) || failed.has(keyOf(one)) || isFull(one.tenantId)) continue;
        const taken = await take(one);
        if (taken === null) continue;
        begin(one, taken);
        begun += 1;
      }
      if (found.length === limit && begun > 0) continue;
      isMore = full.length > 0;
      return;
    }
  }

  /** A look at a time. After one that failed the next waits for its time. */
  function lookOnce(): Promise<void> {
    looking ??= look()
      .catch((error: unknown) => {
        isMore = false;
        onError(error);
      })
      .finally(() => {
        looking = undefined;
      });
    return looking;
  }

  const rounds = createRounds(async () => {
    failed.clear();
    await lookOnce();
    return everyMs;
  });

  return {
    start: () => rounds.start(everyMs),

    /** Something has come to be due: a look that is under way may have passed it by. */
    lookNow(): void {
      void Promise.resolve(looking).then(() => (rounds.isStopped() ? undefined : lookOnce()));
    },

    /** For work that takes long, and may end early. */
    isStopped: rounds.isStopped,

    /** Begins nothing more, and lets what is under way end. */
    async stop(): Promise<void> {
      await rounds.stop();
      await looking;
      await Promise.all(underWay.values());
    },
  };
}
