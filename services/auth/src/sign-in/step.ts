// Steps never call one another: each looks at the stored sign-in and says what comes next, to the dispatcher
// (dispatch.ts).
import type { Cause } from '@reeve/contracts';
import type { Page } from '@reeve/service-kit';
import type { SessionRef } from '../sessions/live-sessions.ts';
import type { Session } from '../sessions/session.ts';
import type { SignIn, StepName } from './sign-in.ts';

/** What the browser brings to a step, and what it is known by already. */
export type Asked = {
  uid: string;
  signIn: SignIn;
  query: Readonly<Record<string, unknown>>;
  /** The same as it came, from the `?` on. */
  search: string;
  /** The connection whose callback the browser came back to; null when it comes from elsewhere. */
  returnedBy: string | null;
  cause: Cause;
  /** The session that this browser is signed in to already. */
  current: SessionRef | null;
};

/** What the application is told of a sign-in that has succeeded. */
export type SignedIn = SessionRef & Pick<Session, 'userId' | 'amr' | 'acr' | 'authenticatedAt'>;

type Outcome =
  | { next: StepName; learnt: Partial<SignIn> }
  /** The browser answers this page, at the same step. */
  | { ask: Page }
  /** The browser leaves, and comes back at that step. */
  | { leaveFor: string; comesBackAt: StepName; learnt: Partial<SignIn> }
  | { signedIn: SignedIn };

export type Step = (asked: Asked) => Promise<Outcome>;

export type Steps = Readonly<Record<StepName, Step>>;
