// Whether somebody has signed in as surely, and as lately, as is demanded of them. The token says how: its `acr` was
// reached at `auth_time` or later, so that both together are never more than was shown.
import { ProblemError, type TenantId } from '@reeve/contracts';
import type { AssertSignIn } from './handle-route.ts';

type SignedIn = { acr: string | null; signInAgeSeconds: number | null };

/** One of these values, the least first; any sign-in will do where there are none. */
export type SignInDemand = { acrValues: readonly string[]; maxAgeSeconds: number | null };

/** Throws `insufficient_user_authentication` (RFC 9470). */
export function assertMeets({ acr, signInAgeSeconds }: SignedIn, { acrValues, maxAgeSeconds }: SignInDemand): void {
  const isFresh = maxAgeSeconds === null || (signInAgeSeconds !== null && signInAgeSeconds <= maxAgeSeconds);
  const [least = null] = acrValues;
  if (isFresh && (least === null || (acr !== null && acrValues.includes(acr)))) return;
  throw new ProblemError('insufficient_user_authentication', undefined, {
    needed: { acrValues: least, maxAgeSeconds },
  });
}

/** By what tenants demand, as auth tells it to all. Throws as above. */
export const createAssertSignIn =
  ({ demandOf }: { demandOf: (tenantId: TenantId, action: string) => SignInDemand | undefined }): AssertSignIn =>
  async ({ action, tenantId, ...signedIn }) => {
    const demand = demandOf(tenantId, action);
    if (demand) assertMeets(signedIn, demand);
  };
