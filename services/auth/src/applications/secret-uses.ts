// When the secrets of an application were last used: so that one knows which of two may go. Told apart from the
// application, which nobody has changed by using it.
import type { TenantId } from '@reeve/contracts';
import { type Clock, type Collections, collection } from '@reeve/store';
import { LRUCache } from 'lru-cache';

export type SecretUses = { lastUsed: Record<string, string> };

/** By the id of the application. */
export const secretUses = collection<SecretUses>({ name: 'client_secret_uses' });

/** By the hashes of its secrets. */
export const lastUsedOf = async (uses: Collections<SecretUses>, owner: TenantId, id: string) =>
  (await uses.in(owner).get(id))?.state.lastUsed;

/** Nobody asks by the second, and a machine may come a hundred times in one. */
const notedEveryMs = 60_000;
/** More than an application has secrets at a time. */
const mostKept = 10;

type Parts = {
  uses: Collections<SecretUses>;
  clock: Clock;
  onError: (error: unknown) => void;
};

export type NoteSecretUse = ReturnType<typeof createNoteSecretUse>;

/** Nobody waits for it, and nobody is refused for the want of it. */
export function createNoteSecretUse({ uses, clock, onError }: Parts) {
  const noted = new LRUCache<string, true>({ max: 10_000, ttl: notedEveryMs });
  return (owner: TenantId, id: string, hash: string): void => {
    if (noted.has(hash)) return;
    noted.set(hash, true);
    void note(owner, id, hash).catch(onError);
  };

  async function note(owner: TenantId, id: string, hash: string): Promise<void> {
    const lastUsed = { ...(await lastUsedOf(uses, owner, id)), [hash]: clock.now().toISOString() };
    const newest = Object.entries(lastUsed).sort(([, one], [, other]) => other.localeCompare(one));
    await uses.in(owner).put(id, { lastUsed: Object.fromEntries(newest.slice(0, mostKept)) });
  }
}
