// The links that lead from a card in a chat to the page on which a person signs in. A link says whose chat it is for,
// and is good for one way there; it shows nobody who they are: whoever has it could have got it from somebody else.
import { randomBytes } from 'node:crypto';
import type { Cause, TenantId } from '@reeve/contracts';
import type { Clock } from '@reeve/store';
import { createSeal } from '../seal.ts';
import { type AtBot, clientOf } from './at-bot.ts';
import { type BotUsers, begin, chatKey } from './bot-user.ts';

export const signInPath = '/bot/sign-in';

/** What a link says. */
export type Ticket = { tenantId: TenantId; chat: string; nonce: string };

type Parts = { users: BotUsers; issuer: string; keys: readonly string[]; clock: Clock };

export type SignInLinks = ReturnType<typeof createSignInLinks>;

export function createSignInLinks({ users, issuer, keys, clock }: Parts) {
  const { seal, open } = createSeal<Ticket>(keys, 'bot-sign-in');

  return {
    /** Null for one that we have not made. */
    open,

    /** The one that the chat has, or another one where that is over, or will be soon. */
    async linkFor(at: AtBot, cause: Cause): Promise<string> {
      const chat = chatKey(at.chat);
      const of = { chat: at.chat, clientId: clientOf(at), nonce: randomBytes(16).toString('base64url') };
      const entry = await users
        .in(at.tenantId)
        .change(chat, user => begin(user, { ...of, now: clock.now() }), { cause });
      const nonce = entry?.state.pending?.nonce ?? of.nonce;
      const query = new URLSearchParams({ ticket: seal({ tenantId: at.tenantId, chat, nonce }) });
      return `${issuer}${signInPath}?${query}`;
    },
  };
}
