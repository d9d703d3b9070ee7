// Nothing of whoever is gone is kept at bots. Their sessions there end first, though all of theirs do elsewhere: a chat
// that is forgotten could be taken up again by a session that has not ended yet.
import { serviceCause } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import type { Clock } from '@reeve/store';
import type { LiveSessions } from '../sessions/live-sessions.ts';
import { type BotUsers, forget } from './bot-user.ts';
import { endChats } from './end-chats.ts';

type Parts = { users: BotUsers; live: Pick<LiveSessions, 'end'>; clock: Clock };

export const forgetDeletedPeopleAtBots = ({ clock, ...parts }: Parts): Handlers => ({
  async 'user.deleted'({ id: causationId, tenantId, correlationId, data: { target } }) {
    const cause = serviceCause('auth', { correlationId, causationId });
    const chats = parts.users.in(tenantId).all('byUser', { userId: target.id });
    await endChats(parts, chats, { tenantId, cause, decide: user => forget(user, clock.now()) });
  },
});
