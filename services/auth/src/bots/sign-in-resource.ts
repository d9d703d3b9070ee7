// What a bot's card says: the link to the page, and what a client of the person can get a token for to spare them that.
import { randomUUID } from 'node:crypto';
import type { Cause } from '@reeve/contracts';
import { z } from 'zod';
import type { AtBot } from './at-bot.ts';
import type { SignInLinks } from './sign-in-links.ts';

export const signInResource = z.object({
  signInLink: z.string(),
  tokenExchangeResource: z
    .object({ id: z.string(), uri: z.string(), providerId: z.string().optional() })
    .optional()
    .describe('Absent where people sign in on the page alone'),
  tokenPostResource: z.object({}).describe('Empty: the SDK for Python makes no card without it'),
});
export type SignInResource = z.infer<typeof signInResource>;

export async function signInResourceFor(links: SignInLinks, at: AtBot, cause: Cause): Promise<SignInResource> {
  const { tokenExchange } = at.connection;
  const signInLink = await links.linkFor(at, cause);
  const tokenPostResource = {};
  if (!tokenExchange) return { signInLink, tokenPostResource };
  const { audience: uri, providerId } = tokenExchange;
  const named = { id: randomUUID(), uri };
  const tokenExchangeResource = providerId === undefined ? named : { ...named, providerId };
  return { signInLink, tokenExchangeResource, tokenPostResource };
}
