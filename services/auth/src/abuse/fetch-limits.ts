// How often strangers have us fetch what they name: by where they come from, and by which host is asked, so that nobody
// has us ask somebody else's server for them. Each instance counts for itself, in memory.
import { ProblemError } from '@reeve/contracts';
import { networkOf } from '@reeve/service-kit';
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';

const windowSeconds = 300;
/** An office has one address; what is good is fetched a few times in an hour. */
const ofNetwork = 30;
const ofHost = 120;

export type FetchLimits = ReturnType<typeof createFetchLimits>;

type Asked = { ip: string | null; host: string };

export function createFetchLimits({ isLimited }: { isLimited: boolean }) {
  const networks = new RateLimiterMemory({ keyPrefix: 'fetch-from', points: ofNetwork, duration: windowSeconds });
  const hosts = new RateLimiterMemory({ keyPrefix: 'fetch-at', points: ofHost, duration: windowSeconds });

  return {
    /** Throws `rate_limited`. */
    async assertMayFetch({ ip, host }: Asked): Promise<void> {
      if (!isLimited) return;
      try {
        await networks.consume(networkOf(ip) ?? 'unknown');
        await hosts.consume(host);
      } catch (error) {
        if (error instanceof Error) throw error;
        const retryAfterSeconds = Math.max(1, Math.ceil((error as RateLimiterRes).msBeforeNext / 1_000));
        throw new ProblemError('rate_limited', 'too many applications are looked up', { retryAfterSeconds });
      }
    },
  };
}
