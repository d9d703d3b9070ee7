import { type Cause, emptyContext } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import { end, type Sessions } from './session.ts';

/** Delivered twice it finds the sessions ended and changes nothing. */
export const endSessionsWhenUserDeactivated = ({ sessions }: { sessions: Sessions }): Handlers => ({
  async 'user.deactivated'({ id: causationId, tenantId, correlationId, data }) {
    const collection = sessions.in(tenantId);
    const actor = { type: 'service', id: 'auth', name: null, via: 'system' } as const;
    for await (const { id } of collection.all('byUser', { userId: data.target.id ?? '' })) {
      const cause: Cause = { actor, context: { ...emptyContext, sessionId: id }, correlationId, causationId };
      await collection.change(id, session => session && end(id, session, 'user_deactivated'), { cause });
    }
  },
});
