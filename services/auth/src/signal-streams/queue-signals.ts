// What happens to people and their sessions is queued for each stream of their tenant. Delivered twice it finds that
// done, unless the receiver has taken it meanwhile, who knows it by its `jti`.
import { type Actor, type Id, serviceCause, type TenantId } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import type { Clock } from '@reeve/store';
import type { Holding, Sessions } from '../sessions/session.ts';
import { type Signals, signalId, waiting } from './signal.ts';
import {
  accountChanged,
  accountDisabled,
  accountEnabled,
  accountPurged,
  claimsChanged,
  credentialChanged,
  type Said,
  sessionOver,
} from './signal-events.ts';
import { close, delivers, isPush, type StreamId, type Streams, wake } from './stream.ts';
import type { StreamSecrets } from './stream-secrets.ts';

type Parts = {
  streams: Streams;
  signals: Signals;
  secrets: StreamSecrets;
  sessions: Sessions;
  issuer: string;
  clock: Clock;
  /** Does not wait for the time at which it would look for what is due. */
  pushNow: () => void;
};
type Told = { id: string; tenantId: TenantId; correlationId: string; time: string };

type FactorEvent = {
  actor: Pick<Actor, 'type'>;
  reason: { code: string };
  details: { userId?: Id<'user'> | undefined; kind?: string | undefined };
};

type MembershipEvent = Pick<FactorEvent, 'actor' | 'reason'> & {
  target: { id: string };
  details: { userId?: Id<'user'> | undefined };
};

export type Queue = ReturnType<typeof createQueue>;

type QueueParts = Pick<Parts, 'streams' | 'signals' | 'clock' | 'pushNow'>;

export function createQueue({ streams, signals, clock, pushNow }: QueueParts) {
  /** For one stream, whatever it asks for. */
  return async (told: Told, streamId: string, { said, isPushed }: { said: Said; isPushed: boolean }): Promise<void> => {
    const { id: causationId, tenantId, correlationId } = told;
    const cause = serviceCause('auth', { correlationId, causationId });
    const state = waiting({ ...told, txn: correlationId }, streamId, said);
    await signals.in(tenantId).create(signalId(streamId, state.jti), { state, events: [] }, cause);
    if (!isPushed) return;
    // Also where it was there: whoever queued it may have ended before this.
    const decide = (stream: Parameters<typeof wake>[0]) => ({
      state: wake(stream, state.jti, clock.now()),
      events: [],
    });
    await streams.in(tenantId).change(streamId, stream => stream && decide(stream), { cause });
    pushNow();
  };
}

export function queueSignals({ streams, signals, secrets, sessions, issuer, clock, pushNow }: Parts): Handlers {
  const queue = createQueue({ streams, signals, clock, pushNow });

  async function tell(told: Told, userId: Id<'user'>, said: Said): Promise<void> {
    for await (const { id, state } of streams.in(told.tenantId).all('inOrder', {})) {
      if (state.status === 'disabled' || !delivers(state, said.uri) || state.without.includes(userId)) continue;
      await queue(told, id, { said, isPushed: isPush(state) });
    }
  }

  /** With the roles or groups that the person has then. Who has no session has no token whose claims are others now. */
  async function tellOfHeld(
    told: Told,
    { userId, holding, name, isHeld }: { userId: Id<'user'>; holding: Holding; name: string; isHeld: boolean },
    happened: Parameters<typeof claimsChanged>[2],
  ): Promise<void> {
    for await (const { state } of sessions.in(told.tenantId).all('byUser', { userId })) {
      if (state.status !== 'live') continue;
      const others = (state[holding] ?? []).filter(one => one !== name);
      const held = isHeld ? [...others, name] : others;
      return tell(told, userId, claimsChanged(issuer, { userId, claims: { [holding]: held } }, happened));
    }
  }

  const tellOfMember = async (told: Told, { target, actor, reason, details }: MembershipEvent, isHeld: boolean) => {
    const { userId } = details;
    const happened = { time: told.time, actor, because: reason.code };
    if (userId !== undefined) await tellOfHeld(told, { userId, holding: 'groups', name: target.id, isHeld }, happened);
  };

  const tellOfFactor = (
    told: Told,
    change: 'create' | 'delete',
    { actor, reason, details }: FactorEvent,
  ): Promise<void> | undefined => {
    const { userId, kind } = details;
    if (userId === undefined || kind === undefined) return undefined;
    const happened = { time: told.time, actor, because: reason.code };
    const said = credentialChanged(issuer, { userId, kind, change }, happened);
    return said ? tell(told, userId, said) : undefined;
  };

  return {
    async 'mfa_factor.enrolled'({ data, ...told }) {
      await tellOfFactor(told, 'create', data);
    },

    async 'mfa_factor.removed'({ data, ...told }) {
      await tellOfFactor(told, 'delete', data);
    },

    'session.revoked': ({ data: { target, actor, reason, details }, ...told }) => {
      const of = { userId: details.userId, sessionId: target.id };
      const happened = { time: told.time, actor, because: reason.code };
      return tell(told, details.userId, sessionOver(issuer, of, happened));
    },

    // To a receiver it is the same: a token says nothing of when its session is over by not being used.
    'session.expired': ({ data: { target, actor, reason, details }, ...told }) => {
      const of = { userId: details.userId, sessionId: target.id };
      const happened = { time: told.time, actor, because: reason.code };
      return tell(told, details.userId, sessionOver(issuer, of, happened));
    },

    'user.deactivated': ({ data: { target }, ...told }) =>
      tell(told, target.id, accountChanged(issuer, accountDisabled, target.id)),

    'user.reactivated': ({ data: { target }, ...told }) =>
      tell(told, target.id, accountChanged(issuer, accountEnabled, target.id)),

    'user.deleted': ({ data: { target }, ...told }) =>
      tell(told, target.id, accountChanged(issuer, accountPurged, target.id)),

    async 'role.assigned'({ data: { target, actor, reason, details }, ...told }) {
      if (reason.code === 'just_in_time') return;
      const role = { userId: target.id, holding: 'roles', name: details.role, isHeld: true } as const;
      await tellOfHeld(told, role, { time: told.time, actor, because: reason.code });
    },

    'role.unassigned': ({ data: { target, actor, reason, details }, ...told }) =>
      tellOfHeld(
        told,
        { userId: target.id, holding: 'roles', name: details.role, isHeld: false },
        { time: told.time, actor, because: reason.code },
      ),

    'membership.added': ({ data, ...told }) => tellOfMember(told, data, true),
    'membership.removed': ({ data, ...told }) => tellOfMember(told, data, false),

    async 'client.deleted'({ id: causationId, tenantId, correlationId, data: { target } }) {
      const own = streams.in(tenantId);
      const entry = await own.getByUnique('client', target.id);
      if (!entry) return;
      const cause = serviceCause('auth', { correlationId, causationId });
      const gone = { because: 'client_deleted', at: clock.now() } as const;
      await own.change(entry.id, stream => stream && close(entry.id as StreamId, stream, gone), { cause });
    },

    /** Whoever has closed it may have ended right after. */
    async 'signal_stream.deleted'({ id: causationId, tenantId, correlationId, data: { target } }) {
      await secrets.destroy({
        tenantId,
        streamId: target.id,
        cause: serviceCause('auth', { correlationId, causationId }),
      });
    },
  };
}
