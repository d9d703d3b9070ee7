// Whoever has only a token of somebody gets no factor by it and takes none away, neither theirs nor another's: the
// person has to have signed in within fifteen minutes, and with the best of their factors where they have one.
import { type Id, isId, type TenantId } from '@reeve/contracts';
import type { Clock } from '@reeve/store';
import type { LiveSessions } from '../sessions/live-sessions.ts';
import { assertSignedIn } from '../step-up-policies/assert-signed-in.ts';
import { bestOf, hasFactor, isBestShown } from './factor.ts';
import type { PersonalFactors } from './personal-factors.ts';

type Caller = {
  type: string;
  id: string;
  sessionId: string | null;
  acr: string | null;
  authenticatedAt: Date | null;
};

type Parts = { personal: PersonalFactors; live: Pick<LiveSessions, 'find'>; clock: Clock };

const maxAgeSeconds = 900;

export type AssertFactorShown = ReturnType<typeof createAssertFactorShown>;

/** Throws `insufficient_user_authentication`. A machine has no factors, and signs in nowhere. */
export const createAssertFactorShown =
  ({ personal, live, clock }: Parts) =>
  async (tenantId: TenantId, { type, id, sessionId, acr, authenticatedAt }: Caller): Promise<void> => {
    if (type !== 'user') return;
    const factors = await personal.read({ tenantId, userId: id as Id<'user'> });
    const signInAgeSeconds = authenticatedAt && (clock.now().getTime() - authenticatedAt.getTime()) / 1_000;
    const needed = { level: hasFactor(factors) ? bestOf(factors) : null, maxAgeSeconds };
    assertSignedIn({ acr, signInAgeSeconds }, needed);
    if (needed.level === null) return;
    // A token says that a level was reached, and not whether by more than the provider's word.
    const session = isId('session', sessionId) ? await live.find({ tenantId, sessionId }) : null;
    const isShown = isBestShown(factors, session?.state.stepUp ?? null);
    assertSignedIn({ acr: isShown ? acr : null, signInAgeSeconds }, needed);
  };
