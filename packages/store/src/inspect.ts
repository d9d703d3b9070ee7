// What the database has of what is declared, for whoever looks whether an installation is sound. Changes nothing.
import type { Db, IndexDescription } from 'mongodb';
import type { Clock } from './clock.ts';
import type { Outbox } from './relay.ts';

export type InspectedStore = {
  /** As MongoDB writes it: `8.0.4`. */
  version: string;
  /** Members of the replica set that hold data; 0 where it is none. */
  members: number;
  /** By how much its clock is ahead of ours, give or take half of the round trip. */
  clockAheadMs: number;
  /** `<collection> <key>` of each index that is declared and not there. */
  missingIndexes: string[];
  /** Collections with events whose publication is overdue: nobody has published them, nor taken them over. */
  overdueOutboxes: string[];
};

type Declared = { rows: { name: string; indexKeys(): Promise<Set<string>> }; indexes: readonly IndexDescription[] };
type Parts = { db: Db; clock: Clock; declared: readonly Declared[]; outboxes: Iterable<Outbox> };

/** A sweep takes over what waits, within seconds, as long as Kafka takes it. */
const overdueMs = 60_000;

export async function inspect({ db, clock, declared, outboxes }: Parts): Promise<InspectedStore> {
  const { version } = (await db.admin().buildInfo()) as { version: string };
  const sentAt = clock.now().getTime();
  const hello = await db.command({ hello: 1 });
  const halfway = (sentAt + clock.now().getTime()) / 2;
  const { localTime, hosts = [] } = hello as unknown as { localTime: Date; hosts?: string[] };
  const missing = await Promise.all(
    declared.map(async ({ rows, indexes }) => {
      const there = await rows.indexKeys();
      return indexes
        .map(({ key }) => JSON.stringify(key))
        .flatMap(key => (there.has(key) ? [] : `${rows.name} ${key}`));
    }),
  );
  const dueBefore = new Date(clock.now().getTime() - overdueMs);
  const overdue = await Promise.all(
    [...outboxes].map(async ({ rows }) => {
      const found = await rows.find({ outboxAt: { $lte: dueBefore } }, { limit: 1, projection: { _id: 1 } });
      return found.length > 0 ? [rows.name] : [];
    }),
  );
  return {
    version,
    members: hosts.length,
    clockAheadMs: Math.round(localTime.getTime() - halfway),
    missingIndexes: missing.flat(),
    overdueOutboxes: overdue.flat(),
  };
}
