// Work that nobody waits for gives way to work that somebody waits for. A process does one thing at a time: what is
// long is done in portions, and before each portion the requests that are being served come first.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RequestHandler, Response } from 'express';

/** A request that takes longer is not waited for any more: it streams, or waits for something itself. */
const countedForMs = 1_000;
/** Work that always gives way would never be done. */
const waitsAtMostMs = 50;

export type GiveWay = ReturnType<typeof createGiveWay>;

export function createGiveWay() {
  const requests = new Map<Response, number>();
  const waiting = new Set<() => void>();

  const isSomebodyWaiting = () => {
    const since = performance.now() - countedForMs;
    for (const began of requests.values()) if (began > since) return true;
    return false;
  };

  function disregard(served: Response) {
    requests.delete(served);
    if (isSomebodyWaiting()) return;
    for (const resume of waiting) resume();
  }

  return {
    /** Before the routes: knows of a request from its first byte to the last of its answer. */
    noteRequest: ((_request, response, next) => {
      requests.set(response, performance.now());
      response.once('close', () => disregard(response));
      next();
    }) satisfies RequestHandler,

    /** Of a request that does long work itself: nothing gives way to it, least of all that work. */
    takesLong: disregard,

    /** Before each portion of such work: resolves when no request is being served, or after a moment. */
    async toRequests(): Promise<void> {
      await nextTurn();
      if (!isSomebodyWaiting()) return;
      await new Promise<void>(resolve => {
        const resume = () => {
          clearTimeout(timer);
          waiting.delete(resume);
          resolve();
        };
        const timer = setTimeout(resume, waitsAtMostMs);
        waiting.add(resume);
      });
    },
  };
}

/**
 * For a loop over very many things: what it returns is called for each, and awaited, and now and then lets whatever
 * else the process has to do come first; or with `toRequests` the requests that are being served.
 */
export function yieldEvery(ms: number, giveWay: () => Promise<unknown> = nextTurn): () => Promise<void> | undefined {
  let last = performance.now();
  return () => {
    if (performance.now() - last < ms) return undefined;
    return giveWay().then(() => {
      last = performance.now();
    });
  };
}
