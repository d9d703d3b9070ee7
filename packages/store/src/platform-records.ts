// Rows that belong to no tenant when they are looked up: an opaque token, a code, a browser's sign-in in flight. Found
// only by an unguessable id or by a declared key, removed by expiry. Anything with a tenant belongs in a tenant
// collection.
import { setTimeout as pause } from 'node:timers/promises';
import type { IndexDescription } from 'mongodb';
import type { Clock } from './clock.ts';
import { inPresentShape, type Shape } from './definition.ts';
import type { Rows, Update } from './driver.ts';
import { refusedIndex, VersionConflictError } from './errors.ts';

export type PlatformDefinition<R> = Shape<R> & {
  name: string;
  /** Why the tenant cannot be known at the time of the look-up. */
  reason: string;
  /** Fields to find many by. */
  keys?: readonly (keyof R & string)[];
};

/** Platform records as a value, for the store to open. */
export const platformRecords = <R>(definition: PlatformDefinition<R>): PlatformDefinition<R> => definition;

export type PlatformRow<R> = {
  _id: string;
  row: R;
  /** The version of the row's shape; 1 where it is missing. */
  rowVersion?: number;
  version: number;
  expiresAt?: Date;
};

/** A row as it was read: whoever changes it says so, and is told when it is another one by then. */
export type Versioned<R> = { row: R; version: number };

/** What a decision about a row returns. Null means that nothing is to change. */
export type RowDecision<R> = Content<R> | null;

type Content<R> = { row: R; expiresAt: Date | null };

export type PlatformRecords<R> = ReturnType<typeof createPlatformRecords<R>>;

const mostFound = 1_000;
const attemptsAtARace = 30;

export function indexesOfRecords<R>({ keys = [] }: PlatformDefinition<R>): IndexDescription[] {
  return [
    ...keys.map(key => ({ key: { [`row.${key}`]: 1 as const }, sparse: true })),
    { key: { expiresAt: 1 }, expireAfterSeconds: 0 },
  ];
}

export function createPlatformRecords<R>(
  definition: PlatformDefinition<R>,
  { rows, clock }: { rows: Rows<PlatformRow<R>>; clock: Clock },
) {
  const live = (found: PlatformRow<R> | null) =>
    found && !(found.expiresAt && found.expiresAt <= clock.now()) ? found : null;
  const rowOf = ({ row, rowVersion }: PlatformRow<R>) => inPresentShape(definition, row, rowVersion);
  const view = (found: PlatformRow<R> | null): Versioned<R> | null =>
    found && { row: rowOf(found), version: found.version };
  const contentOf = ({ row, expiresAt }: Content<R>) => ({
    row,
    ...(definition.version === undefined ? {} : { rowVersion: definition.version }),
    ...(expiresAt ? { expiresAt } : {}),
  });
  const updateOf = (content: Content<R>): Update => ({
    $set: contentOf(content),
    ...(content.expiresAt ? {} : { $unset: { expiresAt: '' } }),
    $inc: { version: 1 },
  });
  const read = async (id: string) => live(await rows.findOne({ _id: id }));

  async function write(id: string, known: Versioned<R> | null, decided: Content<R>): Promise<boolean> {
    if (known) return rows.updateOne({ _id: id, version: known.version }, updateOf(decided));
    try {
      await rows.insertOne({ _id: id, version: 1, ...contentOf(decided) });
      return true;
    } catch (error) {
      if (refusedIndex(error) === null) throw error;
      // Expired, and not removed yet.
      await rows.deleteMany({ _id: id, expiresAt: { $lte: clock.now() } });
      return false;
    }
  }

  return {
    /** Writes whatever is there. */
    async put(id: string, row: R, expiresAt: Date | null): Promise<void> {
      await rows.updateOne({ _id: id }, updateOf({ row, expiresAt }), { upsert: true });
    },

    get: async (id: string): Promise<Versioned<R> | null> => view(await read(id)),

    /**
     * Decides on what is there and saves it, again from a fresh read when somebody was faster. `decide` is pure and may
     * run more than once. Begins with `known`, where the caller has read the row already. Returns the row as it is
     * then.
     */
    async change(
      id: string,
      decide: (row: R | null) => RowDecision<R>,
      known?: Versioned<R> | null,
    ): Promise<Versioned<R> | null> {
      let current = known === undefined ? view(await read(id)) : known;
      for (let attempt = 0; attempt < attemptsAtARace; attempt += 1) {
        const decided = decide(current?.row ?? null);
        if (!decided) return current;
        if (await write(id, current, decided)) return { row: decided.row, version: (current?.version ?? 0) + 1 };
        if (attempt > 1) await pause(Math.random() * 5 * attempt);
        current = view(await read(id));
      }
      throw new VersionConflictError();
    },

    async findBy(key: keyof R & string, value: string): Promise<(Versioned<R> & { id: string })[]> {
      const found = await rows.find({ [`row.${key}`]: value }, { limit: mostFound });
      return found.filter(one => live(one)).map(one => ({ id: one._id, row: rowOf(one), version: one.version }));
    },

    /** Removes and returns in one step: for what may be used once. */
    async take(id: string): Promise<R | null> {
      const taken = live(await rows.take({ _id: id }));
      return taken && rowOf(taken);
    },

    remove: (id: string): Promise<void> => rows.deleteOne({ _id: id }),

    removeBy: (key: keyof R & string, value: string): Promise<void> => rows.deleteMany({ [`row.${key}`]: value }),
  };
}
