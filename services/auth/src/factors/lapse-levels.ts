// A level rests on the factor that it was reached by: without the factor no session has it any more, and no access
// token says it for longer than it counts.
import { lapse, type Sessions } from '../sessions/session.ts';
import type { FactorView } from './factor.ts';
import type { Owner } from './personal-factors.ts';

export type LapseLevels = ReturnType<typeof createLapseLevels>;

export const createLapseLevels =
  ({ sessions }: { sessions: Sessions }) =>
  async ({ tenantId, userId, cause }: Owner, gone: readonly Pick<FactorView, 'id'>[]): Promise<void> => {
    const ids = gone.map(({ id }) => id);
    if (ids.length === 0) return;
    const own = sessions.in(tenantId);
    for await (const { id } of own.all('byUser', { userId }))
      await own.change(id, session => session && lapse(session, ids), { cause });
  };
