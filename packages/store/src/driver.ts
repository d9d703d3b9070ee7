// The one place where our documents meet the driver's types, which know neither a document that is generic in its state
// nor a path that is made up of names. Filters and updates are plain objects here; whoever builds them is the tests'
// business, and `explain` shows what became of them.
import type { AnyBulkWriteOperation, Collection, Document, Filter, IndexDescription, UpdateFilter } from 'mongodb';
import { MongoBulkWriteError, MongoServerError } from 'mongodb';
import { refusedIndexOf } from './errors.ts';

export type Conditions = Readonly<Record<string, unknown>>;
export type Update = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
export type Sort = Readonly<Record<string, 1 | -1>>;
export type Write =
  | { insertOne: { document: object } }
  | { updateOne: { filter: Conditions; update: Update; upsert?: boolean } }
  | { deleteOne: { filter: Conditions } };

const namespaceNotFound = 26;

type Options = { sort?: Sort; hint?: Sort; limit?: number; projection?: Readonly<Record<string, 1>> };

export type Rows<D extends { _id: string }> = ReturnType<typeof rowsOf<D>>;

/** The operations that this package uses of a collection of `D`. */
export function rowsOf<D extends { _id: string }>(collection: Collection) {
  const filterOf = (conditions: Conditions) => conditions as Filter<Document>;
  const found = (document: Document | null) => document as D | null;
  const given = (documents: readonly D[]) => documents as unknown as Document[];

  return {
    name: collection.collectionName,

    createIndexes: async (indexes: readonly IndexDescription[]): Promise<void> => {
      if (indexes.length > 0) await collection.createIndexes([...indexes]);
    },

    /** The keys of its indexes, as JSON; none where there is no such collection. */
    async indexKeys(): Promise<Set<string>> {
      const found = await collection.indexes().catch((error: unknown) => {
        if (error instanceof MongoServerError && error.code === namespaceNotFound) return [];
        throw error;
      });
      return new Set(found.map(({ key }) => JSON.stringify(key)));
    },

    findOne: async (filter: Conditions): Promise<D | null> => found(await collection.findOne(filterOf(filter))),

    find: async (filter: Conditions, options: Options = {}): Promise<D[]> =>
      (await collection.find(filterOf(filter), options as object).toArray()) as unknown as D[],

    /** One after the other, with constant memory. */
    stream: (filter: Conditions, options: { sort: Sort; hint: Sort; batchSize: number }) =>
      collection.find(filterOf(filter), options as object) as unknown as AsyncIterable<D>,

    count: (filter: Conditions, hint: Sort): Promise<number> => collection.countDocuments(filterOf(filter), { hint }),

    insertOne: async (document: D): Promise<void> => {
      await collection.insertOne(document as unknown as Document);
    },

    /** Stops at the first that is refused for a key that is taken. Returns how many went in before it. */
    async insertInOrder(documents: readonly D[]): Promise<number> {
      const refused = await insertMany(collection, given(documents), { ordered: true });
      return Math.min(documents.length, ...refused.keys());
    },

    /** Inserts all that can be inserted. Returns the positions of the others, each with the index that refused it. */
    insertEach: (documents: readonly D[]): Promise<Map<number, string>> =>
      insertMany(collection, given(documents), { ordered: false }),

    /** True when there was one to update, or `upsert` made one. */
    async updateOne(filter: Conditions, update: Update, { upsert = false } = {}): Promise<boolean> {
      const result = await collection.updateOne(filterOf(filter), update as UpdateFilter<Document>, { upsert });
      return result.matchedCount + result.upsertedCount === 1;
    },

    updateMany: async (filter: Conditions, update: Update): Promise<void> => {
      await collection.updateMany(filterOf(filter), update as UpdateFilter<Document>);
    },

    /** Updates and returns the result in one step; null where there is none, and `upsert` makes none. */
    updateAndGet: async (filter: Conditions, update: Update, { upsert = false } = {}): Promise<D | null> =>
      found(
        await collection.findOneAndUpdate(filterOf(filter), update as UpdateFilter<Document>, {
          returnDocument: 'after',
          upsert,
        }),
      ),

    /** Removes and returns in one step. */
    take: async (filter: Conditions): Promise<D | null> => found(await collection.findOneAndDelete(filterOf(filter))),

    deleteOne: async (filter: Conditions): Promise<void> => {
      await collection.deleteOne(filterOf(filter));
    },

    deleteMany: async (filter: Conditions): Promise<void> => {
      await collection.deleteMany(filterOf(filter));
    },

    /** In any order, in one round trip. Returns how many documents were met by an update or a deletion. */
    async write(operations: readonly Write[]): Promise<number> {
      if (operations.length === 0) return 0;
      const result = await collection.bulkWrite(operations as AnyBulkWriteOperation[], { ordered: false });
      return result.matchedCount + result.deletedCount + result.upsertedCount;
    },
  };
}

/** Throws for any failure but a key that is taken: then nobody knows what is there. */
async function insertMany(collection: Collection, documents: Document[], options: { ordered: boolean }) {
  try {
    await collection.insertMany(documents, options);
    return new Map<number, string>();
  } catch (error) {
    if (!(error instanceof MongoBulkWriteError)) throw error;
    const refused = [error.writeErrors].flat();
    // Without its write concern the rest is not safe either, whatever was refused.
    const unsafe = error.result.getWriteConcernError() !== undefined;
    if (unsafe || refused.length === 0 || refused.some(({ code }) => code !== 11_000)) throw error;
    return new Map(refused.map(one => [one.index, refusedIndexOf(one)]));
  }
}
