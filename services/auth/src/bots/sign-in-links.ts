// The links that lead from a card in a chat to the page on which a person signs in. A link says whose chat it is for,
// and is good for one way there; it shows nobody who they are: whoever has it could have got it from somebody else.
import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Cause, isId, type TenantId } from '@reeve/contracts';
import type { Clock } from '@reeve/store';
import { type AtBot, clientOf } from './at-bot.ts';
import { type BotUsers, begin, chatKey } from './bot-user.ts';

export const signInPath = '/bot/sign-in';

/** What a link says. */
export type Ticket = { tenantId: TenantId; chat: string; nonce: string };

type Parts = { users: BotUsers; issuer: string; keys: readonly string[]; clock: Clock };

const separator = '~';

export type SignInLinks = ReturnType<typeof createSignInLinks>;

export function createSignInLinks({ users, issuer, keys, clock }: Parts) {
  const derived = keys.map(key => Buffer.from(hkdfSync('sha256', key, '', 'bot-sign-in', 32)));
  const macOf = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest();

  function seal({ tenantId, chat, nonce }: Ticket): string {
    const text = [tenantId, chat, nonce].join(separator);
    return [text, macOf(derived[0] ?? Buffer.alloc(0), text).toString('base64url')].join(separator);
  }

  return {
    /** Null for one that we have not made. */
    open(sealed: string): Ticket | null {
      const [tenantId, chat = '', nonce = '', mac = '', more] = sealed.split(separator);
      const text = [tenantId, chat, nonce].join(separator);
      const given = Buffer.from(mac, 'base64url');
      const isOurs = derived.some(key => given.length === 32 && timingSafeEqual(given, macOf(key, text)));
      return isOurs && more === undefined && isId('tenant', tenantId) ? { tenantId, chat, nonce } : null;
    },

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
