// What has changed about people lately, learnt from provisioning. A session that begins asks for it: the change may
// have come while the person was on the way through a sign-in, and so before there was a session for it to reach.
import { ProblemError } from '@reeve/contracts';
import { type Collections, collection } from '@reeve/store';
import type { EndCause, Holding, SessionId } from './session.ts';

export type PersonChange = {
  /** Null while nothing about it has changed. */
  active: { is: boolean; at: string } | null;
  roles: Held;
  /** By their ids; absent while none has changed. */
  groups?: Held;
  /** When all their sessions ended by somebody's word, and why; absent while none has. */
  signedOut?: SignedOut;
  changedAt: string;
};

type Held = Record<string, { isHeld: boolean; at: string }>;

/** `except` is one that was to go on. */
type SignedOut = { because: EndCause; at: string; except?: SessionId };

export type PeopleChanges = Collections<PersonChange>;

/** No sign-in is on its way for longer. */
const rememberedMs = 3_600_000;

export const peopleChanges = collection<PersonChange>({
  name: 'people_changes',
  expiresAt: ({ changedAt }) => new Date(Date.parse(changedAt) + rememberedMs),
});

const nothing: PersonChange = { active: null, roles: {}, changedAt: new Date(0).toISOString() };

/** The latest of each; an event that comes late or twice changes nothing. */
export function noted(
  known: PersonChange | null,
  {
    at,
    ...change
  }: { at: string } & (
    | { active: boolean }
    | { holding: Holding; name: string; isHeld: boolean }
    | { signedOut: EndCause; except?: SessionId }
  ),
): PersonChange | null {
  const all = known ?? nothing;
  const { active, signedOut, changedAt } = all;
  const latest = { ...all, changedAt: at > changedAt ? at : changedAt };
  if ('signedOut' in change) {
    if (signedOut && signedOut.at >= at) return null;
    const { signedOut: because, except } = change;
    return { ...latest, signedOut: { because, at, ...(except === undefined ? {} : { except }) } };
  }
  if ('active' in change) return active && active.at >= at ? null : { ...latest, active: { is: change.active, at } };
  const { holding, name, isHeld } = change;
  const held = all[holding];
  const before = held?.[name];
  return before && before.at >= at ? null : { ...latest, [holding]: { ...held, [name]: { isHeld, at } } };
}

/** Clocks of two services differ by no more. */
const skewMs = 5_000;

/** What of it somebody who was looked up at that moment, and is now in that session, may not have met. */
export function since(
  change: PersonChange | null,
  { lookedUpAt, sessionId }: { lookedUpAt: Date; sessionId: SessionId },
): { isGone: boolean; signedOut: EndCause | null; held: Record<Holding, Record<string, boolean>> } {
  const isLater = ({ at }: { at: string }) => Date.parse(at) > lookedUpAt.getTime() - skewMs;
  const lately = (held: Held = {}) =>
    Object.fromEntries(
      Object.entries(held)
        .filter(([, one]) => isLater(one))
        .map(([name, { isHeld }]) => [name, isHeld]),
    );
  const active = change?.active ?? null;
  const signedOut = change?.signedOut;
  const isSignedOut = signedOut && signedOut.except !== sessionId && Date.parse(signedOut.at) > lookedUpAt.getTime();
  return {
    isGone: active !== null && !active.is && isLater(active),
    // By clocks of this service alone: whoever signs in once more the moment after is not to be refused.
    signedOut: isSignedOut ? signedOut.because : null,
    held: { roles: lately(change?.roles), groups: lately(change?.groups) },
  };
}

/** Throws `user_deactivated`, and `sign_in_expired` for whoever was signed out. */
export function assertStillThere({ isGone, signedOut }: Pick<ReturnType<typeof since>, 'isGone' | 'signedOut'>): void {
  if (isGone) throw new ProblemError('user_deactivated');
  if (signedOut !== null) throw new ProblemError('sign_in_expired');
}
