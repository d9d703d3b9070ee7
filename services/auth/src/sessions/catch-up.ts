// A session that has just begun catches up with what came about while the person was on the way: the session is there by
// now, or what came about will find it.
import { type Cause, type Id, serviceCause } from '@reeve/contracts';
import type { LiveSessions, SessionRef } from './live-sessions.ts';
import { assertStillThere, type PeopleChanges, since } from './people-changes.ts';
import { changeHeld, type Sessions } from './session.ts';

type Parts = { sessions: Sessions; live: Pick<LiveSessions, 'end'>; peopleChanges: PeopleChanges };

export type CatchUp = ReturnType<typeof createCatchUp>;

export const createCatchUp =
  ({ sessions, live, peopleChanges }: Parts) =>
  /** Throws `user_deactivated` and `sign_in_expired`, when the session has ended. `lookedUpAt` is in ISO 8601. */
  async (
    { tenantId, sessionId, userId }: SessionRef & { userId: Id<'user'> },
    { lookedUpAt, cause }: { lookedUpAt: string; cause: Cause },
  ): Promise<void> => {
    const lately = await peopleChanges.in(tenantId).get(userId);
    const change = since(lately?.state ?? null, { lookedUpAt: new Date(lookedUpAt), sessionId });
    const ofService = serviceCause('auth', { correlationId: cause.correlationId, sessionId });
    const because = change.isGone ? 'user_deactivated' : change.signedOut;
    if (because !== null) await live.end({ tenantId, sessionId }, because, ofService);
    assertStillThere(change);
    for (const holding of ['roles', 'groups'] as const) {
      const changes = change.held[holding];
      if (Object.keys(changes).length === 0) continue;
      const decide = (state: Parameters<typeof changeHeld>[0] | null) => state && changeHeld(state, holding, changes);
      await sessions.in(tenantId).change(sessionId, decide, { cause: ofService });
    }
  };
