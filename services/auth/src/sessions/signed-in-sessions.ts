// What the OpenID provider asks of our sessions. It knows a session by an id of its own (`uid`), before any tenant.
import { type Cause, type Context, emptyContext, type Id, isId, type TenantId } from '@reeve/contracts';
import type { TenantDirectory } from '@reeve/service-kit';
import { type Clock, DuplicateKeyError, type TenantEntry } from '@reeve/store';
import type { DeactivatedUsers } from './deactivated-users.ts';
import { begin, end, reauthenticate, type Session, type Sessions, sessionLifetimeMs } from './session.ts';

export type LiveSession = TenantEntry<Session>;

/** What the completed sign-in hands through the provider, which keeps it as the result of the interaction. */
export type SignIn = {
  accountId: string;
  tenantId: TenantId;
  sessionId: Id<'session'>;
  connectionId: string;
  email: string | null;
  displayName: string | null;
  roles: string[];
  surface: string;
  amr: string[];
  acr?: string | undefined;
  ts: number;
  origin: { context: Context; correlationId: string };
};

export type SignedInSessions = ReturnType<typeof createSignedInSessions>;

type Parts = { sessions: Sessions; deactivatedUsers: DeactivatedUsers; tenants: TenantDirectory; clock: Clock };

export function createSignedInSessions({ sessions, deactivatedUsers, tenants, clock }: Parts) {
  const all = sessions.acrossTenants('the OpenID provider knows a session by its own id, before any tenant');

  const causeOf = ({ accountId, displayName, sessionId, connectionId, origin }: SignIn): Cause => ({
    actor: { type: 'user', id: accountId, name: displayName, via: 'idp' },
    context: { ...origin.context, sessionId, connectionId },
    correlationId: origin.correlationId,
  });

  async function endAsDeactivated({ tenantId, sessionId, accountId }: SignIn): Promise<void> {
    const actor = { type: 'service', id: 'auth', name: null, via: 'system' } as const;
    const cause: Cause = { actor, context: { ...emptyContext, sessionId }, correlationId: accountId };
    await sessions
      .in(tenantId)
      .change(sessionId, session => session && end(sessionId, session, 'user_deactivated'), { cause });
  }

  return {
    async findLive(uid: string | undefined): Promise<LiveSession | null> {
      const found = uid === undefined ? null : await all.getByUnique('providerUid', uid);
      if (found?.state.status !== 'live') return null;
      // A suspended tenant's sessions are there again when it is resumed.
      return (await tenants.find(found.tenantId))?.status === 'active' ? found : null;
    },

    /** Idempotent: the provider may resume an interaction more than once. */
    async begin(uid: string, result: object): Promise<void> {
      const signIn = result as SignIn;
      if (!isId('tenant', signIn.tenantId)) throw new TypeError('a sign-in without a tenant');
      const cause = causeOf(signIn);
      const at = new Date(signIn.ts * 1000).toISOString();
      const { accountId: userId, email, displayName, roles, connectionId, surface, amr, origin } = signIn;
      const acr = signIn.acr ?? null;
      const { ip, userAgent } = origin.context;
      const expiresAt = new Date(clock.now().getTime() + sessionLifetimeMs).toISOString();
      const session = {
        userId,
        email,
        displayName,
        roles,
        connectionId,
        providerUid: uid,
        surface,
        amr,
        acr,
        ip,
        userAgent,
        createdAt: at,
        authenticatedAt: at,
        expiresAt,
      };
      try {
        await sessions.in(signIn.tenantId).create(signIn.sessionId, begin(signIn.sessionId, session), cause);
      } catch (error) {
        if (!(error instanceof DuplicateKeyError)) throw error;
        const current = await all.getByUnique('providerUid', uid);
        if (!current || current.tenantId !== signIn.tenantId) throw error;
        await sessions
          .in(current.tenantId)
          .change(current.id, state => state && reauthenticate(state, { authenticatedAt: at, amr, acr, roles }), {
            cause: { ...cause, context: { ...cause.context, sessionId: current.id } },
          });
      }
      // Deactivated while signing in: the session is there by now, or the deactivation will find it.
      if (await deactivatedUsers.in(signIn.tenantId).get(userId)) await endAsDeactivated(signIn);
    },

    /** The provider ended the browser session: ours ends with it. */
    async endByUid(uid: string): Promise<void> {
      const found = await all.getByUnique('providerUid', uid);
      if (!found) return;
      const { id, tenantId, state } = found;
      const cause: Cause = {
        actor: { type: 'user', id: state.userId, name: state.displayName, via: 'session' },
        context: { ...emptyContext, sessionId: id },
        correlationId: id,
      };
      await sessions.in(tenantId).change(id, session => session && end(id, session, 'signed_out'), { cause });
    },
  };
}
