// How often somebody may be wrong. Whoever guesses is kept waiting, by where they come from: never by whom they guess
// at alone, since that would be a way to lock somebody else out. Each instance counts for itself, in memory.
import { ProblemError } from '@reeve/contracts';
import { addressOf, networkOf } from '@reeve/service-kit';
import type { Request } from 'express';
import { RateLimiterMemory } from 'rate-limiter-flexible';

const windowSeconds = 300;

/** Guesses in five minutes. */
const limits = {
  /** Secrets of one application. */
  client_secret: 30,
  /** Codes that devices show, of 20⁸. */
  device_code: 30,
  /** Addresses and names of tenants, typed into the page that asks for them: an office has one address. */
  home_realm: 600,
} as const;

export type Guess = keyof typeof limits;
export type WrongGuesses = ReturnType<typeof createWrongGuesses>;

export function createWrongGuesses({ isLimited }: { isLimited: boolean }) {
  const limiters = Object.fromEntries(
    Object.entries(limits).map(([guess, points]) => [
      guess,
      new RateLimiterMemory({ keyPrefix: guess, points, duration: windowSeconds }),
    ]),
  ) as Record<Guess, RateLimiterMemory>;

  return {
    /**
     * Throws `rate_limited` for who has been wrong too often, also where they are right now: else it would say so.
     * `about` is whom they guess at, of those who are there.
     */
    async assertMayGuess(guess: Guess, request: Request, about = ''): Promise<void> {
      if (!isLimited) return;
      const limiter = limiters[guess];
      const known = await limiter.get(keyOf(request, about));
      if (!known || known.consumedPoints < limiter.points) return;
      const retryAfterSeconds = Math.max(1, Math.ceil(known.msBeforeNext / 1_000));
      throw new ProblemError('rate_limited', 'too many wrong attempts from here', { retryAfterSeconds });
    },

    async wasWrong(guess: Guess, request: Request, about = ''): Promise<void> {
      if (isLimited) await limiters[guess].penalty(keyOf(request, about));
    },
  };
}

const keyOf = (request: Request, about: string) => `${networkOf(addressOf(request)) ?? 'unknown'} ${about}`;
