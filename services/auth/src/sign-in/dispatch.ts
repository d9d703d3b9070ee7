// Runs steps until the browser has to do something, or the person is signed in.
import type { Cause } from '@reeve/contracts';
import type { Page } from '@reeve/service-kit';
import type { SignIn } from './sign-in.ts';
import type { Asked, SignedIn, Steps } from './step.ts';

/** What the browser gets, and how far the sign-in has come; null when it is over. */
export type Advanced =
  | { page: Page; signIn: SignIn }
  | { leaveFor: string; signIn: SignIn }
  | { signedIn: SignedIn; signIn: null };

/** Where it went wrong. */
export class SignInError extends Error {
  readonly signIn: SignIn;
  readonly asked: Cause;

  constructor(signIn: SignIn, asked: Cause, cause: unknown) {
    super(`a sign-in failed at ${signIn.step}`, { cause });
    this.name = 'SignInError';
    this.signIn = signIn;
    this.asked = asked;
  }
}

/** Throws SignInError with what went wrong as its cause. */
export async function advance(steps: Steps, asked: Asked): Promise<Advanced> {
  let { signIn } = asked;
  for (;;) {
    const { cause } = asked;
    const context = { ...cause.context, clientId: signIn.clientId, connectionId: signIn.connectionId };
    try {
      const outcome = await steps[signIn.step]({ ...asked, signIn, cause: { ...cause, context } });
      if ('ask' in outcome) return { page: outcome.ask, signIn };
      if ('signedIn' in outcome) return { signedIn: outcome.signedIn, signIn: null };
      const step = 'next' in outcome ? outcome.next : outcome.comesBackAt;
      signIn = { ...signIn, ...outcome.learnt, step };
      if ('leaveFor' in outcome) return { leaveFor: outcome.leaveFor, signIn };
    } catch (error) {
      throw new SignInError(signIn, { ...cause, context }, error);
    }
  }
}
