// Nobody is signed in at a bot that is gone, and nothing of them is kept for it. Nor at one whose application is gone,
// where a chat stays whose it is: the bot may get another application.
import { type Cause, platformTenantId, serviceCause, type TenantId } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import type { Clock } from '@reeve/store';
import type { LiveSessions } from '../sessions/live-sessions.ts';
import type { BotId, Bots } from './bot.ts';
import { type BotUser, type BotUsers, forget, signOut } from './bot-user.ts';

type Parts = { bots: Bots; users: BotUsers; live: Pick<LiveSessions, 'end'>; clock: Clock };
type At = { tenantId: TenantId; botId: BotId; cause: Cause };

export function signOutUsersOfDeletedBots({ bots, users, live, clock }: Parts) {
  const everywhere = bots.acrossTenants('an application of the platform may be the bot of several tenants');

  async function endSessions({ tenantId, botId, cause }: At, then: (user: BotUser) => ReturnType<typeof forget>) {
    const own = users.in(tenantId);
    for await (const { id, state } of own.all('byBot', { botId })) {
      // Before it is forgotten which session that was: whoever is lost in between begins again.
      if (state.sessionId !== null) await live.end({ tenantId, sessionId: state.sessionId }, 'terminated', cause);
      await own.change(id, user => user && then(user), { cause });
    }
  }

  async function* botsOf(tenantId: TenantId, clientId: string): AsyncGenerator<{ tenantId: TenantId; botId: BotId }> {
    if (tenantId === platformTenantId) {
      for await (const bot of everywhere.all())
        if (bot.state.clientId === clientId) yield { tenantId: bot.tenantId, botId: bot.id as BotId };
      return;
    }
    const bot = await bots.in(tenantId).getByUnique('client', clientId);
    if (bot) yield { tenantId, botId: bot.id as BotId };
  }

  return {
    async 'bot.deleted'({ id: causationId, tenantId, correlationId, data: { target } }) {
      const cause = serviceCause('auth', { correlationId, causationId });
      await endSessions({ tenantId, botId: target.id as BotId, cause }, user => forget(user, clock.now()));
    },

    async 'client.deleted'({ id: causationId, tenantId, correlationId, data: { target } }) {
      const cause = serviceCause('auth', { correlationId, causationId });
      const out = (user: BotUser) => signOut(user, { chat: user, clientId: user.clientId, now: clock.now() });
      for await (const bot of botsOf(tenantId, target.id)) await endSessions({ ...bot, cause }, out);
    },
  } satisfies Handlers as Handlers;
}
