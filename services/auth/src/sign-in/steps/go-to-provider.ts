import { type ConnectionParts, connectionOf } from '../connection-of.ts';
import type { Step } from '../step.ts';

/** The browser goes to the identity provider, with what the application wishes. */
export const goToProvider =
  (parts: ConnectionParts): Step =>
  async ({ uid, signIn, cause }) => {
    const { kind, at } = await connectionOf(parts, signIn, cause);
    const { leaveFor, pending } = await kind.begin(at, { signInId: uid, wish: signIn.wish });
    const seen = { kind: signIn.method, to: typeof leaveFor === 'string' ? new URL(leaveFor).host : 'a form' };
    return { leaveFor, comesBackAt: 'return-from-provider', learnt: { pending }, seen };
  };
