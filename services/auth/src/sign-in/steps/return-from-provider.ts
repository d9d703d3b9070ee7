import { ProblemError } from '@reeve/contracts';
import { StepError } from '@reeve/relying-party';
import { type ConnectionParts, connectionOf } from '../connection-of.ts';
import type { SignIn } from '../sign-in.ts';
import type { Step } from '../step.ts';

const skewMs = 60_000;

/** Who the identity provider says it is. */
export const returnFromProvider =
  (parts: ConnectionParts): Step =>
  async ({ signIn, search, returnedBy, cause }) => {
    // The callback that it came to is that of the connection that it was sent to.
    if (returnedBy !== signIn.connectionId) throw new ProblemError('sign_in_expired');
    const { kind, at } = await connectionOf(parts, signIn, cause);
    const identity = await kind.complete(at, { pending: signIn.pending, query: search });
    if (signIn.wish.isDemanded && isFromBefore(signIn, identity.authenticatedAt))
      throw new StepError('authentication_too_old');
    return { next: 'resolve-person', learnt: { identity, pending: null } };
  };

/** Where somebody had to sign in once more: whether the provider has let them pass with an earlier sign-in. */
function isFromBefore({ startedAt }: SignIn, authenticatedAt: string | null): boolean {
  return authenticatedAt !== null && Date.parse(authenticatedAt) < Date.parse(startedAt) - skewMs;
}
