import { type Cause, emptyContext } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import type { DeactivatedUsers } from './deactivated-users.ts';
import { end, type Sessions } from './session.ts';

/** Delivered twice it finds the sessions ended and changes nothing. */
export const endSessionsWhenUserDeactivated = ({
  sessions,
  deactivatedUsers,
}: {
  sessions: Sessions;
  deactivatedUsers: DeactivatedUsers;
}): Handlers => ({
  async 'user.deactivated'({ id: causationId, tenantId, correlationId, time, data }) {
    const userId = data.target.id ?? '';
    // First, so that a session that begins from now on is ended by whoever begins it.
    await deactivatedUsers.in(tenantId).put(userId, { since: time });
    const collection = sessions.in(tenantId);
    const actor = { type: 'service', id: 'auth', name: null, via: 'system' } as const;
    for await (const { id } of collection.all('byUser', { userId })) {
      const cause: Cause = { actor, context: { ...emptyContext, sessionId: id }, correlationId, causationId };
      await collection.change(id, session => session && end(id, session, 'user_deactivated'), { cause });
    }
  },

  async 'user.reactivated'({ tenantId, data }) {
    await deactivatedUsers.in(tenantId).remove(data.target.id ?? '');
  },
});
