// What a sign-in came to, until the page that waits for it asks: a window that was opened for it cannot reach the page
// any more once an identity provider has isolated itself (Cross-Origin-Opener-Policy), as large ones do. The page asks by
// a secret of its own, and what it gets is of use to nobody without its verifier (PKCE) and its key (DPoP).
import { createHash } from 'node:crypto';
import { type Clock, type PlatformRecords, platformRecords } from '@reeve/store';
import type { EmbedCode } from './codes.ts';

export type Outcome = { code: string; iss: string } | { error: EmbedCode; cause: string | null };
export type HandOff = { origin: string; outcome: Outcome };

export const handOffs = platformRecords<HandOff>({
  name: 'embed_hand_offs',
  reason: 'a page knows nothing but the secret that it has made for its sign-in, whose hash is the key',
});

/** As long as a code lasts. */
const lastsMs = 60_000;

const keyOf = (state: string) => createHash('sha256').update(state).digest('base64url');

export type HandOffs = ReturnType<typeof createHandOff>;

export function createHandOff({ records, clock }: { records: PlatformRecords<HandOff>; clock: Clock }) {
  return {
    async leave({ origin, state }: { origin: string; state: string }, outcome: Outcome): Promise<void> {
      const expiresAt = new Date(clock.now().getTime() + lastsMs);
      // A failure that is told late, or by whoever goes the same way again, takes the place of nothing.
      const isLess = (before: HandOff | null) => before !== null && 'error' in outcome;
      const decide = (before: HandOff | null) => (isLess(before) ? null : { row: { origin, outcome }, expiresAt });
      await records.change(keyOf(state), decide, null);
    },

    /** Once, by a page of that origin. Null where there is nothing yet. */
    async take(state: string, origin: string): Promise<Outcome | null> {
      const key = keyOf(state);
      if ((await records.get(key))?.row.origin !== origin) return null;
      return (await records.take(key))?.outcome ?? null;
    },
  };
}

/** The address of a page that was left, with what came of it in the fragment, which no server sees. */
export function withOutcome(returnTo: string, outcome: Outcome & { state: string }): string {
  const url = new URL(returnTo);
  const told = Object.entries(outcome).filter((entry): entry is [string, string] => entry[1] !== null);
  url.hash = new URLSearchParams(told.map(([name, value]) => [`reeve_${name}`, value])).toString();
  return url.href;
}
