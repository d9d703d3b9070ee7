// Runs steps until the browser has to do something, or the person is signed in, and keeps the trace of it.
import type { Cause } from '@reeve/contracts';
import { StepError } from '@reeve/relying-party';
import type { Page } from '@reeve/service-kit';
import type { TraceEntry } from '../attempts/attempt.ts';
import type { SignIn } from './sign-in.ts';
import type { Asked, SignedIn, Steps } from './step.ts';

/** What the browser gets, and how far the sign-in has come. */
export type Advanced = { signIn: SignIn } & (
  | { page: Page }
  | { leaveFor: string | Page }
  /** It is over. */
  | { signedIn: SignedIn }
);

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

/** Whoever goes back and forth for long is not followed all the way. */
const longestTrace = 40;

/** Throws SignInError with what went wrong as its cause. */
export async function advance(steps: Steps, asked: Asked): Promise<Advanced> {
  let { signIn } = asked;
  for (;;) {
    const { cause } = asked;
    const context = { ...cause.context, clientId: signIn.clientId, connectionId: signIn.connectionId };
    const began = { at: new Date().toISOString(), ms: performance.now(), step: signIn.step };
    const traced = (how: Pick<TraceEntry, 'outcome' | 'seen'>): SignIn['trace'] => {
      const { at, step } = began;
      const entry = { at, step, ms: Math.round(performance.now() - began.ms), ...how };
      return [...signIn.trace, entry].slice(-longestTrace);
    };
    try {
      const { seen = {}, ...outcome } = await steps[signIn.step]({ ...asked, signIn, cause: { ...cause, context } });
      if ('ask' in outcome)
        return {
          page: outcome.ask,
          signIn: { ...signIn, ...outcome.learnt, trace: traced({ outcome: 'asked', seen }) },
        };
      if ('signedIn' in outcome)
        return { signedIn: outcome.signedIn, signIn: { ...signIn, trace: traced({ outcome: 'done', seen }) } };
      const isLeaving = 'leaveFor' in outcome;
      const trace = traced({ outcome: isLeaving ? 'left' : 'done', seen });
      signIn = { ...signIn, ...outcome.learnt, trace, step: isLeaving ? outcome.comesBackAt : outcome.next };
      if (isLeaving) return { leaveFor: outcome.leaveFor, signIn };
    } catch (error) {
      const seen = error instanceof StepError ? error.seen : {};
      throw new SignInError({ ...signIn, trace: traced({ outcome: 'failed', seen }) }, { ...cause, context }, error);
    }
  }
}
