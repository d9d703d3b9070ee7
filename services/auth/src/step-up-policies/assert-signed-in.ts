// Whether somebody has signed in as surely, and as lately, as is demanded of them. The token says how: its `acr` was
// reached at `auth_time` or later, so that both together are never more than was shown.
import { ProblemError } from '@reeve/contracts';
import type { AssertSignIn } from '@reeve/service-kit';
import { acrOfLevel, acrValues, type Level, levels, reachesLevel } from '../factors/level.ts';
import { demandOfAction } from './step-up-policy.ts';
import type { StepUpPolicyDirectory } from './step-up-policy-directory.ts';

type SignedIn = { acr: string | null; signInAgeSeconds: number | null };
type Needed = { level: Level | null; maxAgeSeconds: number | null };

/** Throws `insufficient_user_authentication` (RFC 9470). */
export function assertSignedIn({ acr, signInAgeSeconds }: SignedIn, { level, maxAgeSeconds }: Needed): void {
  const reached = levels[acrValues.indexOf(acr ?? '')] ?? null;
  const isFresh = maxAgeSeconds === null || (signInAgeSeconds !== null && signInAgeSeconds <= maxAgeSeconds);
  if (isFresh && (level === null || reachesLevel(reached, level))) return;
  throw new ProblemError('insufficient_user_authentication', undefined, {
    needed: { acrValues: level && acrOfLevel(level), maxAgeSeconds },
  });
}

/** By the policy of the tenant. Throws as above. */
export const createAssertSignIn =
  ({ policies }: { policies: StepUpPolicyDirectory }): AssertSignIn =>
  async ({ action, tenantId, ...signedIn }) => {
    const demand = demandOfAction(await policies.of(tenantId), action);
    if (demand) assertSignedIn(signedIn, demand);
  };
