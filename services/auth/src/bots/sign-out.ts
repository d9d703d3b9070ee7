// Signs a person out at a bot, at one of its connections or all: what is on its way there comes to nothing as well.
import type { Cause } from '@reeve/contracts';
import type { Clock } from '@reeve/store';
import type { LiveSessions } from '../sessions/live-sessions.ts';
import { type AtBot, clientOf } from './at-bot.ts';
import { type BotUser, type BotUsers, chatKey, signOut } from './bot-user.ts';

type Parts = { users: BotUsers; live: Pick<LiveSessions, 'end'>; clock: Clock };

export async function signOutAt({ users, live, clock }: Parts, at: AtBot, cause: Cause): Promise<void> {
  let sessionId: BotUser['sessionId'] = null;
  const decide = (user: BotUser | null) => {
    sessionId = user?.sessionId ?? null;
    return signOut(user, { chat: at.chat, clientId: clientOf(at), now: clock.now() });
  };
  await users.in(at.tenantId).change(chatKey(at.chat), decide, { cause });
  if (sessionId !== null) await live.end({ tenantId: at.tenantId, sessionId }, 'signed_out', cause);
}
