// Is this caller still good? What a token said at its birth is a hint: its session may be over by now, its person
// deactivated, its client deleted, its grant void, its roles others. Every process reads `reeve.revocations.v1` into
// memory and asks it about each caller; the owner of a fact asks its own store instead. Where the topic has not been
// read for too long nobody is let in.
import {
  createRevocationTable,
  ProblemError,
  type Revocation,
  revocationSchema,
  type TenantId,
} from '@reeve/contracts';
import type { EventBus } from '@reeve/event-bus';
import type { SignInDemand } from './step-up.ts';
import type { Caller } from './token-verifier.ts';

export type PersonStanding = { status: 'active' | 'deactivated' | 'deleted'; roles: readonly string[] };

/** What a service knows first-hand, instead of from the topic. */
export type OwnKnowledge = {
  /** Null for somebody who is not there. */
  person?: (tenantId: TenantId, userId: string) => Promise<PersonStanding | null>;
  isSessionLive?: (tenantId: TenantId, sessionId: string) => Promise<boolean>;
  /** Told of what another instance has changed. */
  hearOfClient?: (clientId: string) => void;
};

export type Standing = ReturnType<typeof createStanding>;

const tidyEveryMs = 60_000;

export function createStanding({
  now = Date.now,
  longestSilenceMs,
  own = {},
}: {
  now?: () => number;
  /** How long the topic may have been out of reach before callers are refused. */
  longestSilenceMs: number;
  own?: OwnKnowledge;
}) {
  const known = createRevocationTable({ now });
  const listeners = new Set<(revocation: Revocation) => void>();
  let upToDateAt = () => 0;
  let timer: NodeJS.Timeout | undefined;

  function learn(revocation: Revocation) {
    // Nothing is revoked by a demand, and nobody else is asked for it.
    if (!known.learn(revocation) || revocation.kind === 'step_up') return;
    if (revocation.kind === 'client') own.hearOfClient?.(revocation.id);
    for (const listener of listeners) listener(revocation);
  }

  function assertUpToDate() {
    if (now() - upToDateAt() <= longestSilenceMs) return;
    throw new ProblemError('dependency_unavailable', 'it is not known which tokens were revoked', {
      retryAfterSeconds: 2,
    });
  }

  /**
   * Of a client that is gone, or one whose earlier tokens count no more. Not by `iat`, which holds whole seconds, and
   * which says nothing of a token whose client was read a moment before the change.
   */
  function isOfRevokedClient({ clientId, clientTokensFrom }: Caller): boolean {
    const found = known.lookUp('client', clientId);
    if (!found) return false;
    return found.issuedBefore === null || clientTokensFrom === null || clientTokensFrom < found.issuedBefore;
  }

  async function personOf(tenantId: TenantId, userId: string): Promise<PersonStanding | null | undefined> {
    return own.person ? own.person(tenantId, userId) : known.lookUp('user', userId);
  }

  async function isSessionOver(tenantId: TenantId, sessionId: string): Promise<boolean> {
    return own.isSessionLive
      ? !(await own.isSessionLive(tenantId, sessionId))
      : known.lookUp('session', sessionId) !== undefined;
  }

  return {
    learn,

    /** How a person stands now; undefined while a token says it, null for somebody who is not there. */
    personOf,

    /** The caller with the roles that it has now. Throws `token_invalid` when it is good no more. */
    async now(caller: Caller): Promise<Caller> {
      assertUpToDate();
      const { type, id, tenantId, sessionId, grantId = null } = caller;
      if (isOfRevokedClient(caller)) throw new ProblemError('token_invalid');
      if (type !== 'user' || tenantId === null) return caller;
      if (grantId !== null && known.lookUp('grant', grantId)) throw new ProblemError('token_invalid');
      if (sessionId !== null && (await isSessionOver(tenantId, sessionId))) throw new ProblemError('token_invalid');
      const person = await personOf(tenantId, id);
      if (person === undefined) return caller;
      if (person?.status !== 'active') throw new ProblemError('token_invalid');
      return { ...caller, roles: person.roles };
    },

    /** Which sign-in a tenant demands of its people for an action; undefined for any. */
    demandOf: (tenantId: TenantId, action: string): SignInDemand | undefined =>
      known.lookUp('step_up', tenantId)?.demands.find(one => one.action === action),

    /** All that matters now, and then what is learnt, until the returned function is called. */
    follow(listener: (revocation: Revocation) => void): () => void {
      for (const revocation of known.all()) if (revocation.kind !== 'step_up') listener(revocation);
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },

    /** The moment (milliseconds) up to which all that was revoked is known. */
    upToDateAt: (): number => upToDateAt(),

    /** Reads the topic, and resolves when what is on it is known. */
    async start(bus: EventBus, log: { warn: (about: object, message: string) => void }): Promise<void> {
      const following = await bus.follow('reeve.revocations.v1', ({ value, offset }) => {
        if (value === null) return;
        const parsed = revocationSchema.safeParse(parsedJson(value));
        if (parsed.success) learn(parsed.data);
        else log.warn({ offset }, 'a revocation could not be read');
      });
      upToDateAt = following.upToDateAt;
      timer = setInterval(known.tidy, tidyEveryMs);
      timer.unref();
      await following.caughtUp;
    },

    stop() {
      clearInterval(timer);
    },

    /** For tests: as if everything had been read at that moment. */
    readUntil(at: () => number) {
      upToDateAt = at;
    },
  };
}

function parsedJson(value: Buffer): unknown {
  try {
    return JSON.parse(value.toString('utf8'));
  } catch {
    return null;
  }
}
