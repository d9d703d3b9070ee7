// What matters of `reeve.revocations.v1`, in memory: the last entry of each kind and id, for whoever decides by it.
import type { Revocation } from './revocation.ts';

type Of<K extends Revocation['kind']> = Extract<Revocation, { kind: K }>;

/** `now` in milliseconds. */
export function createRevocationTable({ now }: { now: () => number }) {
  const known: Record<Revocation['kind'], Map<string, Revocation>> = {
    session: new Map(),
    user: new Map(),
    client: new Map(),
    grant: new Map(),
    step_up: new Map(),
  };
  const byKind = Object.values(known);
  const matters = ({ until }: Revocation) => Date.parse(until) > now();

  return {
    /** False for an entry that matters no more, which is not kept. */
    learn(revocation: Revocation): boolean {
      if (!matters(revocation)) return false;
      known[revocation.kind].set(revocation.id, revocation);
      return true;
    },

    lookUp<K extends Revocation['kind']>(kind: K, id: string): Of<K> | undefined {
      const found = known[kind].get(id);
      return found && matters(found) ? (found as Of<K>) : undefined;
    },

    all: (): Revocation[] => byKind.flatMap(entries => [...entries.values()].filter(matters)),

    /** Forgets what matters no more. */
    tidy(): void {
      for (const entries of byKind)
        for (const [id, revocation] of entries) if (!matters(revocation)) entries.delete(id);
    },
  };
}
