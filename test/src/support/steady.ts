// Work that begins at a rate, as requests of many people do: whether or not what began before has ended.
const tickMs = 10;

export type Steady = ReturnType<typeof startSteady>;

/**
 * Begins at once. `atOnce` may be under way; what would come beyond that is held back and not made up for, so that
 * nobody who is away for a minute is met by thousands when they return. `work` must not reject.
 */
export function startSteady(perSecond: number, atOnce: number, work: () => Promise<void>) {
  const began = performance.now();
  const underWay = new Set<Promise<void>>();
  let due = 0;
  let heldBack = 0;
  let endedAt: number | null = null;
  const seconds = () => ((endedAt ?? performance.now()) - began) / 1_000;
  const timer = setInterval(() => {
    for (const until = Math.floor(seconds() * perSecond); due < until; due += 1) {
      if (underWay.size >= atOnce) {
        heldBack += 1;
        continue;
      }
      const one = work().finally(() => underWay.delete(one));
      underWay.add(one);
    }
  }, tickMs);

  return {
    /** So far. */
    counts: () => ({ perSecond: (due - heldBack) / seconds(), heldBack }),

    /** Resolves when all that has begun has ended. */
    async stop(): Promise<void> {
      clearInterval(timer);
      endedAt ??= performance.now();
      await Promise.all(underWay);
    },
  };
}
