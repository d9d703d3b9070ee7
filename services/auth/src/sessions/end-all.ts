import type { Cause, Id, TenantId } from '@reeve/contracts';
import type { Clock } from '@reeve/store';
import { noted, type PeopleChanges, type PersonChange } from './people-changes.ts';
import { type EndCause, end, type Session, type SessionId, type Sessions } from './session.ts';

export type EndAllParts = { sessions: Sessions; peopleChanges: PeopleChanges; clock: Clock };

type Each = {
  tenantId: TenantId;
  userId: Id<'user'>;
  why: EndCause;
  cause: Cause;
  /** One that goes on. */
  except?: SessionId | null;
  /** Which of those that have begun: all, unless it says otherwise. */
  only?: (session: Session) => boolean;
};

/** Those of a person that are live, and the one that they are on their way to. Returns how many were live. */
export async function endAllOf(
  { sessions, peopleChanges, clock }: EndAllParts,
  { at = clock.now(), ...asked }: Each & { at?: Date },
): Promise<number> {
  const { tenantId, userId, why, cause, except = null } = asked;
  const decide = (known: PersonChange | null) => {
    const signedOut = { at: at.toISOString(), signedOut: why, ...(except === null ? {} : { except }) };
    const state = noted(known, signedOut);
    return state && { state, events: [] };
  };
  // First what sessions ask for that begin from now on, then those that have begun.
  await peopleChanges.in(tenantId).change(userId, decide, { cause });
  return endEach(sessions, asked);
}

/** Those of a person that are live, and who is on their way to one goes on. Returns how many there were. */
export async function endEach(
  sessions: Sessions,
  { tenantId, userId, why, cause, except = null, only = () => true }: Each,
): Promise<number> {
  const own = sessions.in(tenantId);
  let ended = 0;
  for await (const { id, state } of own.all('byUser', { userId }, { only: { status: 'live' } })) {
    if (id === except || !only(state)) continue;
    await own.change(id, session => session && end(id as SessionId, session, why), { cause });
    ended += 1;
  }
  return ended;
}
