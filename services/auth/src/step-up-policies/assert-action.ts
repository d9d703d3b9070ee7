// Whether somebody has signed in as surely, and as lately, as their tenant demands for an action of this service. The
// token says how: its `acr` was reached at `auth_time` or later, so that both together are never more than was shown.
import { ProblemError } from '@reeve/contracts';
import type { AssertSignIn } from '@reeve/service-kit';
import { acrOfLevel, acrValues, levels, reachesLevel } from '../factors/level.ts';
import { demandOfAction } from './step-up-policy.ts';
import type { StepUpPolicyDirectory } from './step-up-policy-directory.ts';

/** Throws `insufficient_user_authentication` (RFC 9470). */
export const createAssertSignIn =
  ({ policies }: { policies: StepUpPolicyDirectory }): AssertSignIn =>
  async ({ action, tenantId, acr, signInAgeSeconds }) => {
    const demand = demandOfAction(await policies.of(tenantId), action);
    if (!demand) return;
    const { level, maxAgeSeconds } = demand;
    const reached = levels[acrValues.indexOf(acr ?? '')] ?? null;
    const isFresh = maxAgeSeconds === null || (signInAgeSeconds !== null && signInAgeSeconds <= maxAgeSeconds);
    if (isFresh && reachesLevel(reached, level)) return;
    throw new ProblemError('insufficient_user_authentication', undefined, {
      needed: { acrValues: acrOfLevel(level), maxAgeSeconds },
    });
  };
