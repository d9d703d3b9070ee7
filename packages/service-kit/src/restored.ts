// A store that was restored from a backup is older than what Kafka has. The operator says so (REEVE_RESTORED_TO), and
// what has to be caught up with is caught up with once, whichever instance starts first. The note of it lies in the
// store: in one that is restored once more it is not there, or of another backup.
import { setTimeout as pause } from 'node:timers/promises';
import { type PlatformRecords, platformRecords } from '@reeve/store';
import { ConfigError } from './config.ts';

type Note = { restoredTo: string; at: string };

export const restoreNotes = platformRecords<Note>({
  name: 'restore_notes',
  reason: 'a database is restored for all of its tenants',
});

export type Restored = ReturnType<typeof createRestored>;

/** Longer than Kafka takes a member for alive that was killed. */
const patienceMs = 30_000;
const lookAgainMs = 1_000;
const latest = 'latest';

/** `to` is when the backup was begun; undefined where none was restored. */
export function createRestored({ notes, to }: { notes: PlatformRecords<Note>; to: Date | undefined }) {
  let last: Note | null = null;

  return {
    /** Notes a restore when it is first seen. Called once the store answers, before anything else. */
    async start(): Promise<void> {
      const note = to && { restoredTo: to.toISOString(), at: new Date().toISOString() };
      const decide = (known: Note | null) =>
        !note || known?.restoredTo === note.restoredTo ? null : { row: note, expiresAt: null };
      last = (await notes.change(latest, decide))?.row ?? null;
    },

    /** To which backup, and when it was put in service; null for a store that was never restored. */
    last: (): Note | null => last,

    /**
     * Does that once for this restore. `work` says whether it could; it is tried again while another instance may be
     * at it, and then throws ConfigError.
     */
    async once(what: string, work: (to: Date) => Promise<boolean>): Promise<void> {
      if (!to) return;
      const id = `${to.toISOString()} ${what}`;
      const giveUpAt = Date.now() + patienceMs;
      while (!(await notes.get(id))) {
        if (await work(to)) {
          await notes.put(id, { restoredTo: to.toISOString(), at: new Date().toISOString() }, null);
          return;
        }
        if (Date.now() > giveUpAt)
          throw new ConfigError([
            `REEVE_RESTORED_TO: ${what} could not be set back, since an instance from before the restore still runs; ` +
              'stop every instance of the service, then start them',
          ]);
        await pause(lookAgainMs);
      }
    },
  };
}
