// Steps never call one another: each looks at the stored sign-in and says what comes next, to the dispatcher
// (dispatch.ts).
import type { Cause } from '@reeve/contracts';
import type { Seen } from '@reeve/relying-party';
import type { Page } from '@reeve/service-kit';
import { acrOf, amrOf } from '../factors/level.ts';
import type { SessionRef } from '../sessions/live-sessions.ts';
import type { Session } from '../sessions/session.ts';
import type { SignIn, StepName } from './sign-in.ts';

/** What the browser brings to a step, and what it is known by already. */
export type Asked = {
  uid: string;
  signIn: SignIn;
  /** What the person has filled in. */
  answer: URLSearchParams;
  /** The query as it came, from the `?` on. */
  search: string;
  /** The connection whose callback the browser came back to; null when it comes from elsewhere. */
  returnedBy: string | null;
  cause: Cause;
  /** The session that this browser is signed in to already. */
  current: () => Promise<SessionRef | null>;
};

/** What the application is told of a sign-in that has succeeded. */
export type SignedIn = SessionRef & Pick<Session, 'userId' | 'amr' | 'acr' | 'authenticatedAt'>;

/** By one of the levels that the application has asked for, where it has reached one. */
export const signedInAs = (
  ref: SessionRef,
  { session, acrsAsked }: { session: Omit<Session, 'status'>; acrsAsked: readonly string[] },
): SignedIn => {
  const { userId, authenticatedAt } = session;
  return { ...ref, userId, amr: amrOf(session), acr: acrOf(session, acrsAsked), authenticatedAt };
};

/** `seen` is for the trace of the attempt: nothing secret. */
type Outcome = { seen?: Seen } & (
  | { next: StepName; learnt: Partial<SignIn> }
  /** The browser answers this page, at the same step. */
  | { ask: Page; learnt?: Partial<SignIn> }
  /** The browser leaves, for an address or by the form of a page, and comes back at that step. */
  | { leaveFor: string | Page; comesBackAt: StepName; learnt: Partial<SignIn> }
  | { signedIn: SignedIn }
);

export type Step = (asked: Asked) => Promise<Outcome>;

export type Steps = Readonly<Record<StepName, Step>>;
