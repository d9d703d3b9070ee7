import type { Cause, TenantId } from '@reeve/contracts';
import { type EndCause, end, type SessionId, type Sessions } from './session.ts';

type All = { tenantId: TenantId; userId: string; why: EndCause; cause: Cause; except?: string | null };

/** Those of a person that are live, but for one that may be left out. Returns how many there were. */
export async function endAllOf(sessions: Sessions, { tenantId, userId, why, cause, except }: All): Promise<number> {
  const own = sessions.in(tenantId);
  let ended = 0;
  for await (const { id } of own.all('byUser', { userId: userId as never }, { only: { status: 'live' } })) {
    if (id === except) continue;
    await own.change(id, session => session && end(id as SessionId, session, why), { cause });
    ended += 1;
  }
  return ended;
}
