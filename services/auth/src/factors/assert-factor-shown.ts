// Whoever has only a token of somebody gets no factor by it and takes none away, neither theirs nor another's: the
// person has to have signed in within fifteen minutes, and with a factor where they have one.
import type { Id, TenantId } from '@reeve/contracts';
import type { Clock } from '@reeve/store';
import { assertSignedIn } from '../step-up-policies/assert-signed-in.ts';
import type { PersonalFactors } from './personal-factors.ts';

type Caller = { type: string; id: string; acr: string | null; authenticatedAt: Date | null };

const maxAgeSeconds = 900;

export type AssertFactorShown = ReturnType<typeof createAssertFactorShown>;

/** Throws `insufficient_user_authentication`. A machine has no factors, and signs in nowhere. */
export const createAssertFactorShown =
  ({ personal, clock }: { personal: PersonalFactors; clock: Clock }) =>
  async (tenantId: TenantId, { type, id, acr, authenticatedAt }: Caller): Promise<void> => {
    if (type !== 'user') return;
    const hasFactor = await personal.hasAny({ tenantId, userId: id as Id<'user'> });
    const signInAgeSeconds = authenticatedAt && (clock.now().getTime() - authenticatedAt.getTime()) / 1_000;
    assertSignedIn({ acr, signInAgeSeconds }, { level: hasFactor ? 'mfa' : null, maxAgeSeconds });
  };
