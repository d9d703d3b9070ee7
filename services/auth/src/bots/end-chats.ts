// Ends the sessions that chats are in, and then does to each what is decided: for whatever ends many of them at once.
import type { Cause, TenantId } from '@reeve/contracts';
import type { Decision, Entry } from '@reeve/store';
import type { LiveSessions } from '../sessions/live-sessions.ts';
import type { SessionId } from '../sessions/session.ts';
import type { BotUser, BotUsers } from './bot-user.ts';

type Parts = { users: BotUsers; live: Pick<LiveSessions, 'end'> };
type Ending = { tenantId: TenantId; cause: Cause; decide: (user: BotUser) => Decision<BotUser> };

export async function endChats(
  { users, live }: Parts,
  chats: AsyncIterable<Entry<BotUser>>,
  { tenantId, cause, decide }: Ending,
): Promise<void> {
  const end = (sessionId: SessionId) => live.end({ tenantId, sessionId }, 'terminated', cause);
  for await (const { id, state } of chats) {
    // Before it is forgotten which session that was: whoever is lost in between begins again.
    if (state.sessionId !== null) await end(state.sessionId);
    let last: SessionId | null = null;
    const forThisOne = (user: BotUser | null) => {
      last = user?.sessionId ?? null;
      return user && decide(user);
    };
    await users.in(tenantId).change(id, forThisOne, { cause });
    // Begun since the chats were read.
    if (last !== null && last !== state.sessionId) await end(last);
  }
}
