// Whether somebody has signed in as surely, and as lately, as is demanded of them here.
import { type AssertSignIn, assertMeets, type SignInDemand } from '@reeve/service-kit';
import { acrsReaching, type Level } from '../factors/level.ts';
import { demandOfAction } from './step-up-policy.ts';
import type { StepUpPolicyDirectory } from './step-up-policy-directory.ts';

type SignedIn = Parameters<typeof assertMeets>[0];
type Needed = { level: Level | null; maxAgeSeconds: SignInDemand['maxAgeSeconds'] };

/** Throws `insufficient_user_authentication` (RFC 9470). */
export const assertSignedIn = (signedIn: SignedIn, { level, maxAgeSeconds }: Needed): void =>
  assertMeets(signedIn, { acrValues: level === null ? [] : acrsReaching(level), maxAgeSeconds });

/** By the policy of the tenant. Throws as above. */
export const createAssertSignIn =
  ({ policies }: { policies: StepUpPolicyDirectory }): AssertSignIn =>
  async ({ action, tenantId, ...signedIn }) => {
    const demand = demandOfAction(await policies.of(tenantId), action);
    if (demand) assertSignedIn(signedIn, demand);
  };
