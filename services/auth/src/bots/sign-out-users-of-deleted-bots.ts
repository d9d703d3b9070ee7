// Nobody is signed in at a bot that is gone, and nothing of them is kept for it.
import { serviceCause } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import type { LiveSessions } from '../sessions/live-sessions.ts';
import type { BotId } from './bot.ts';
import type { BotUsers } from './bot-user.ts';

type Parts = { users: BotUsers; live: Pick<LiveSessions, 'end'> };

export const signOutUsersOfDeletedBots = ({ users, live }: Parts) =>
  ({
    async 'bot.deleted'({ id: causationId, tenantId, correlationId, data: { target } }) {
      const own = users.in(tenantId);
      const cause = serviceCause('auth', { correlationId, causationId });
      for await (const { id, state } of own.all('byBot', { botId: target.id as BotId })) {
        if (state.sessionId !== null) await live.end({ tenantId, sessionId: state.sessionId }, 'terminated', cause);
        await own.removeAll([id]);
      }
    },
  }) satisfies Handlers as Handlers;
