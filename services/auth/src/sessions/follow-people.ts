// What provisioning says of people reaches their sessions: whoever is deactivated, deleted or gone to another tenant
// has none, and a role or group that came or went is so in each that is live. Delivered twice it finds that done and
// changes nothing.
import { type Id, serviceCause, type TenantId } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import type { Decision } from '@reeve/store';
import { noted, type PeopleChanges } from './people-changes.ts';
import { changeHeld, end, type Holding, type Session, type SessionId, type Sessions } from './session.ts';

type Parts = { sessions: Sessions; peopleChanges: PeopleChanges };
type Held = { holding: Holding; name: string; isHeld: boolean };
type Told = { id: string; tenantId: TenantId; correlationId: string; time: string };

export function followPeople({ sessions, peopleChanges }: Parts): Handlers {
  /** First what sessions ask for that begin from now on, then those that have begun. */
  async function reach(
    { id: causationId, tenantId, correlationId, time: at }: Told,
    userId: Id<'user'>,
    change: { active: boolean } | Held,
    decide: ((id: SessionId, session: Session) => Decision<Session>) | null,
  ): Promise<void> {
    const cause = serviceCause('auth', { correlationId, causationId });
    const note = peopleChanges.in(tenantId);
    await note.change(
      userId,
      known => {
        const state = noted(known, { at, ...change });
        return state && { state, events: [] };
      },
      { cause },
    );
    if (!decide) return;
    const own = sessions.in(tenantId);
    for await (const entry of own.all('byUser', { userId })) {
      const id = entry.id as SessionId;
      const ofSession = serviceCause('auth', { correlationId, causationId, sessionId: id });
      await own.change(id, session => session && decide(id, session), { cause: ofSession });
    }
  }

  const reachHeld = (told: Told, userId: Id<'user'>, held: Held) =>
    reach(told, userId, held, (_, session) => changeHeld(session, held.holding, { [held.name]: held.isHeld }));

  const reachMember = async (told: Told, userId: Id<'user'> | undefined, held: Held) =>
    userId === undefined ? undefined : reachHeld(told, userId, held);

  return {
    'user.deactivated': ({ data, ...told }) =>
      reach(told, data.target.id, { active: false }, (id, session) => end(id, session, 'user_deactivated')),

    'user.deleted': ({ data, ...told }) =>
      reach(told, data.target.id, { active: false }, (id, session) => end(id, session, 'user_deleted')),

    'user.transferred': ({ data, ...told }) =>
      reach(told, data.target.id, { active: false }, (id, session) => end(id, session, 'user_transferred')),

    'user.reactivated': ({ data, ...told }) => reach(told, data.target.id, { active: true }, null),

    async 'identity.unlinked'({ id: causationId, tenantId, correlationId, data: { details } }) {
      const own = sessions.in(tenantId);
      for await (const { id, state } of own.all('byUser', { userId: details.userId })) {
        if (state.connectionId !== details.connectionId) continue;
        const cause = serviceCause('auth', { correlationId, causationId, sessionId: id });
        await own.change(id, session => session && end(id as SessionId, session, 'identity_unlinked'), { cause });
      }
    },

    async 'role.assigned'({ data: { target, details, reason }, ...told }) {
      // Somebody who was made by signing in has these roles in that session already.
      if (reason.code === 'just_in_time') return;
      await reachHeld(told, target.id, { holding: 'roles', name: details.role, isHeld: true });
    },

    'role.unassigned': ({ data: { target, details }, ...told }) =>
      reachHeld(told, target.id, { holding: 'roles', name: details.role, isHeld: false }),

    'membership.added': ({ data: { target, details }, ...told }) =>
      reachMember(told, details.userId, { holding: 'groups', name: target.id, isHeld: true }),

    'membership.removed': ({ data: { target, details }, ...told }) =>
      reachMember(told, details.userId, { holding: 'groups', name: target.id, isHeld: false }),
  };
}
