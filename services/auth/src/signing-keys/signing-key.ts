// The keys that sign one kind of token, in their stages: one that is shown and does not sign yet, so that whoever
// verifies knows it by the time that it does; the one that signs; and those before it, which are shown for as long as
// something that they signed may come. The stage follows from the time. Pure.
import { event, ProblemError, type ReasonOf } from '@reeve/contracts';
import { collection, type Decision } from '@reeve/store';

/**
 * ES256 for access tokens; RS256 for ID tokens, since that is what a client library expects unless told otherwise.
 * Either signs the other as well, where an application or an API wants its algorithm.
 */
export const algorithms = { accessToken: 'ES256', idToken: 'RS256' } as const;
export type Use = keyof typeof algorithms;

type Key = {
  keyId: string;
  createdAt: string;
  /** It signs from then on, until the next one does. */
  activeFrom: string;
  /** It is shown no more from then on. Null while no other follows it. */
  until: string | null;
};

/** The newest first. */
export type KeysOfUse = { keys: Key[] };

const longAgo = new Date(0).toISOString();

export const signingKeys = collection<KeysOfUse>({
  name: 'signing_keys',
  version: 2,
  // Version 1 had one, which nothing followed.
  upgrade(stored) {
    const { keyId } = stored as { keyId: string };
    return { keys: [{ keyId, createdAt: longAgo, activeFrom: longAgo, until: null }] };
  },
});

type Stage = 'next' | 'signing' | 'verifying';
export type StagedKey = Key & { stage: Stage };

/** Those that are shown, the one that signs first. */
export function staged({ keys }: KeysOfUse, now: Date): StagedKey[] {
  const at = now.toISOString();
  const shown = keys.filter(({ until }) => until === null || until > at);
  const signing = shown.find(({ activeFrom }) => activeFrom <= at);
  const stageOf = (key: Key): Stage => {
    if (key === signing) return 'signing';
    return key.activeFrom > at ? 'next' : 'verifying';
  };
  const all = shown.map(key => ({ ...key, stage: stageOf(key) }));
  return all.toSorted((one, other) => Number(other.stage === 'signing') - Number(one.stage === 'signing'));
}

/** ID tokens come back as hints when people sign out, which may be a day later. */
const keptMs = 86_400_000;

type Following = {
  use: Use;
  keyId: string;
  at: Date;
  because: ReasonOf<'signing_key.rotated'>;
  /** How long it is shown before it signs. */
  leadMs: number;
};

/** `compromised`: what the keys before have signed counts no more, and the new one signs at once. */
export function follow(
  state: KeysOfUse | null,
  { use, keyId, at, because, leadMs }: Following,
): NonNullable<Decision<KeysOfUse>> {
  const now = at.toISOString();
  const isCompromised = because === 'compromised';
  const shown = state ? staged(state, at) : [];
  if (!isCompromised && shown.some(({ stage }) => stage === 'next')) throw new ProblemError('signing_key_waiting');
  const activeFrom = new Date(at.getTime() + (isCompromised ? 0 : leadMs));
  const until = isCompromised ? now : new Date(activeFrom.getTime() + keptMs).toISOString();
  const before = shown.map(({ keyId: id, createdAt, activeFrom: from, until: known }) => ({
    keyId: id,
    createdAt,
    activeFrom: from,
    until: isCompromised ? now : (known ?? until),
  }));
  const key = { keyId, createdAt: now, activeFrom: activeFrom.toISOString(), until: null };
  const details = { keyId, algorithm: algorithms[use], activeFrom: key.activeFrom };
  return {
    state: { keys: [key, ...before] },
    events: [event('signing_key.rotated', { id: keyId, name: use, because, details })],
  };
}
