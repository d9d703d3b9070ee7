// How much is taken per second, of one endpoint and of one tenant, by this replica. A repetition of what is known costs a tenth.
import { ProblemError } from '@reeve/contracts';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Receiver } from '../endpoints/receivers.ts';

const firstCosts = 10;
const repetitionCosts = 1;
const tenantPerSecond = 5_000;
const lookUpsPerMinute = 12_000;

export type Limits = ReturnType<typeof createLimits>;

export function createLimits(enabled: boolean) {
  const byRate = new Map<number, RateLimiterMemory>();
  const perTenant = new RateLimiterMemory({ points: tenantPerSecond * firstCosts, duration: 1 });
  const lookUps = new RateLimiterMemory({ points: lookUpsPerMinute, duration: 60 });

  function limiterOf(perSecond: number): RateLimiterMemory {
    let limiter = byRate.get(perSecond);
    if (!limiter) {
      limiter = new RateLimiterMemory({ points: perSecond * firstCosts, duration: 1, keyPrefix: String(perSecond) });
      byRate.set(perSecond, limiter);
    }
    return limiter;
  }

  async function consume(limiter: RateLimiterMemory, key: string, cost: number): Promise<void> {
    try {
      await limiter.consume(key, cost);
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      const retryAfterSeconds = Math.max(1, Math.ceil(error.msBeforeNext / 1_000));
      throw new ProblemError('rate_limited', undefined, { retryAfterSeconds });
    }
  }

  return {
    /** Of an address that asks for endpoints: what is behind an id that nobody has costs a look-up each time. */
    async lookUp(ip: string): Promise<void> {
      if (enabled) await consume(lookUps, ip, 1);
    },

    async delivery({ id, tenantId, endpoint }: Receiver, repetition: boolean): Promise<void> {
      if (!enabled) return;
      const cost = repetition ? repetitionCosts : firstCosts;
      await consume(limiterOf(endpoint.limits.perSecond), id, cost);
      await consume(perTenant, tenantId, cost);
    },
  };
}
