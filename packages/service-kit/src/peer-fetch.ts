// Requests to other services of ours.
import { setTimeout as pause } from 'node:timers/promises';

const attempts = 4;
const betweenMs = 150;

type Cause = { code?: string; errors?: readonly Cause[] };

/** A host that has several addresses gives a cause for each. */
function wasRefused(error: unknown): boolean {
  const { cause } = error as { cause?: Cause };
  return [cause, ...(cause?.errors ?? [])].some(each => each?.code === 'ECONNREFUSED');
}

/**
 * As fetch, but a connection that is refused is tried again for half a second: nothing was sent, and where an instance
 * has just ended, the next attempt comes to another one. In a cluster that is busy, a node learns of an end late.
 */
export async function peerFetch(url: string | URL, init: RequestInit = {}): Promise<Response> {
  for (let attempt = 1; ; attempt += 1)
    try {
      return await fetch(url, init);
    } catch (error) {
      if (attempt >= attempts || !wasRefused(error)) throw error;
      await pause(betweenMs);
    }
}
