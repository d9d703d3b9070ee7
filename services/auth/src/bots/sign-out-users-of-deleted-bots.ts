// Nobody is signed in at a bot that is gone, and nothing of them is kept for it. Nor at one whose application is gone,
// where a chat stays whose it is: the bot may get another application.
import { platformTenantId, serviceCause, type TenantId } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import type { Clock } from '@reeve/store';
import type { LiveSessions } from '../sessions/live-sessions.ts';
import type { BotId, Bots } from './bot.ts';
import { type BotUser, type BotUsers, forget, signOut } from './bot-user.ts';
import { endChats } from './end-chats.ts';

type Parts = { bots: Bots; users: BotUsers; live: Pick<LiveSessions, 'end'>; clock: Clock };

export function signOutUsersOfDeletedBots({ bots, clock, ...parts }: Parts) {
  const everywhere = bots.acrossTenants('an application of the platform may be the bot of several tenants');

  /** Of a tenant's own application, its tenant; of one of the platform, those that have a bot with it. */
  async function* tenantsOf(tenantId: TenantId, clientId: string): AsyncGenerator<TenantId> {
    if (tenantId !== platformTenantId) {
      yield tenantId;
      return;
    }
    for await (const bot of everywhere.all()) if (bot.state.clientId === clientId) yield bot.tenantId;
  }

  return {
    async 'bot.deleted'({ id: causationId, tenantId, correlationId, data: { target } }) {
      const cause = serviceCause('auth', { correlationId, causationId });
      const chats = parts.users.in(tenantId).all('byBot', { botId: target.id as BotId });
      await endChats(parts, chats, { tenantId, cause, decide: user => forget(user, clock.now()) });
    },

    async 'client.deleted'({ id: causationId, tenantId: of, correlationId, data: { target } }) {
      const cause = serviceCause('auth', { correlationId, causationId });
      const decide = (user: BotUser) => signOut(user, { chat: user, clientId: user.clientId, now: clock.now() });
      for await (const tenantId of tenantsOf(of, target.id)) {
        // By the application that they were signed in with, also where the bot has got another one meanwhile.
        const chats = parts.users.in(tenantId).all('byClient', { clientId: target.id });
        await endChats(parts, chats, { tenantId, cause, decide });
      }
    },
  } satisfies Handlers as Handlers;
}
