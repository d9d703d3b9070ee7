// Tests of what is not on every machine.
import { describe, test } from '@jest/globals';

/** Skips what follows where something is not there. The title says so then, and `npm test` repeats it. */
export function given(isThere: boolean, what: string) {
  const titleOf = (title: string) => (isThere ? title : `${title} (skipped without ${what})`);
  return {
    describe: (title: string, body: () => void) => (isThere ? describe : describe.skip)(titleOf(title), body),
    test: (title: string, body: () => Promise<void>, timeoutMs?: number) =>
      (isThere ? test : test.skip)(titleOf(title), body, timeoutMs),
  };
}
