// Sessions that are over by themselves: that is written when their time has come, so that it is on the record once and
// the applications hear of it. Whoever uses one asks for its time anyway, and waits for nobody here. Each change of a
// policy reaches those that are live.
import { newEventId, platformTenantId, serviceCause, type TenantId } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import { worker } from '@reeve/service-kit';
import type { Clock, TenantEntry } from '@reeve/store';
import type { SurfacePolicyDirectory } from '../surface-policies/surface-policy-directory.ts';
import { type Session, type SessionId, type Sessions, settle } from './session.ts';

type Parts = {
  sessions: Sessions;
  policies: SurfacePolicyDirectory;
  clock: Clock;
  onError: (error: unknown) => void;
};

const reason = 'sessions of all tenants whose time is over';

export function expireSessions({ sessions, policies, clock, onError }: Parts) {
  async function look({ tenantId, id, state }: TenantEntry<Session>): Promise<void> {
    const sessionId = id as SessionId;
    const policy = await policies.find(tenantId, state.surface);
    const cause = serviceCause('auth', { correlationId: newEventId(), sessionId });
    const decide = (session: Session | null) => session && settle(sessionId, session, { now: clock.now(), policy });
    await sessions.in(tenantId).change(id, decide, { cause });
  }

  /** Of one tenant; of all where the platform's policy is another one. */
  async function follow(owner: TenantId, surface: string): Promise<void> {
    policies.forget(owner);
    const all =
      owner === platformTenantId
        ? sessions.acrossTenants(reason).all()
        : sessions.in(owner).all('inOrder', {}, { only: { status: 'live' } });
    for await (const entry of all) {
      const tenantId = 'tenantId' in entry ? (entry.tenantId as TenantId) : owner;
      if (entry.state.surface === surface) await look({ ...entry, tenantId });
    }
  }

  return {
    handlers: {
      async 'policy.updated'({ tenantId, data: { details } }) {
        if (details.kind === 'surface' && details.name !== undefined) await follow(tenantId, details.name);
      },
    } satisfies Handlers as Handlers,

    worker: worker<TenantEntry<Session>, TenantEntry<Session>>({
      due: (limit, except) => sessions.acrossTenants(reason).due(limit, except),
      // Two instances that look at one at once write it once.
      take: async one => one,
      work: look,
      atOnce: 8,
      ofOneTenant: 4,
      everyMs: 5_000,
      onError,
    }),
  };
}
