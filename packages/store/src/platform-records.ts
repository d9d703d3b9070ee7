// Rows that belong to no tenant when they are looked up: an opaque token, a code, a browser's sign-in in flight. Found only
// by an unguessable id or by a declared key, removed by expiry. Anything with a tenant belongs in a tenant collection.
import type { Collection, Filter } from 'mongodb';
import type { Clock } from './clock.ts';

export type PlatformDefinition<R> = {
  name: string;
  /** Why the tenant cannot be known at the time of the look-up. */
  reason: string;
  /** Fields to find many by. */
  keys?: readonly (keyof R & string)[];
};

type Row<R> = { _id: string; row: R; expiresAt?: Date; consumedAt?: Date };

export type PlatformRecords<R> = ReturnType<typeof createPlatformRecords<R>>;

export function createPlatformRecords<R>(collection: Collection<Row<R>>, clock: Clock) {
  const byId = (id: string) => ({ _id: id }) as Filter<Row<R>>;
  const live = (found: Row<R> | null) => (found && !(found.expiresAt && found.expiresAt <= clock.now()) ? found : null);
  const view = ({ row, consumedAt }: Row<R>) => ({ row, consumedAt });

  return {
    async put(id: string, row: R, expiresAt: Date | null): Promise<void> {
      const update = { $set: { row, ...(expiresAt ? { expiresAt } : {}) } } as unknown as Parameters<
        typeof collection.updateOne
      >[1];
      await collection.updateOne(byId(id), update, { upsert: true });
    },

    async get(id: string): Promise<{ row: R; consumedAt: Date | undefined } | null> {
      const found = live((await collection.findOne(byId(id))) as Row<R> | null);
      return found && view(found);
    },

    async findBy(key: keyof R & string, value: string): Promise<{ row: R; consumedAt: Date | undefined }[]> {
      const found = (await collection
        .find({ [`row.${key}`]: value } as Filter<Row<R>>)
        .limit(1_000)
        .toArray()) as Row<R>[];
      return found.filter(row => live(row)).map(view);
    },

    /** Marks as used, once: false for everyone but the first. */
    async consume(id: string): Promise<boolean> {
      const update = { $set: { consumedAt: clock.now() } } as unknown as Parameters<typeof collection.updateOne>[1];
      const filter = { _id: id, consumedAt: { $exists: false } } as unknown as Filter<Row<R>>;
      return (await collection.updateOne(filter, update)).matchedCount === 1;
    },

    /** Removes and returns in one step: for what may be used once. */
    async take(id: string): Promise<R | null> {
      return live((await collection.findOneAndDelete(byId(id))) as Row<R> | null)?.row ?? null;
    },

    async remove(id: string): Promise<void> {
      await collection.deleteOne(byId(id));
    },

    async removeBy(key: keyof R & string, value: string): Promise<void> {
      await collection.deleteMany({ [`row.${key}`]: value } as Filter<Row<R>>);
    },
  };
}
