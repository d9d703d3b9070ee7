// What counts once, at whichever instance of ours it comes, as long as it counts at all.
import { createHash, randomUUID } from 'node:crypto';
import type { PlatformRecords } from '@reeve/store';

export type UsedRow = { by: string };

export type UsedOnce = ReturnType<typeof createUsedOnce>;

const keyOf = (connectionId: string, id: string): string =>
  createHash('sha256')
    .update(JSON.stringify([connectionId, id]))
    .digest('base64url');

export function createUsedOnce(records: PlatformRecords<UsedRow>) {
  return {
    /** Uses it up. Whether this is the first time. */
    async use(connectionId: string, id: string, until: Date): Promise<boolean> {
      const by = randomUUID();
      const decide = (row: UsedRow | null) => (row ? null : { row: { by }, expiresAt: until });
      const kept = await records.change(keyOf(connectionId, id), decide, null);
      return kept?.row.by === by;
    },

    isUsed: async (connectionId: string, id: string): Promise<boolean> =>
      (await records.get(keyOf(connectionId, id))) !== null,

    /** For what could not be done: it may come again. */
    forget: (connectionId: string, id: string): Promise<void> => records.remove(keyOf(connectionId, id)),
  };
}
