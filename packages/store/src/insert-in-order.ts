import { type Collection, MongoBulkWriteError } from 'mongodb';
import type { StoredDocument } from './document.ts';
import { refusedIndex } from './errors.ts';

/** How many went in: fewer than given when one was refused because its id or a unique key is taken, and then none after that one. */
export async function insertInOrder<S>(
  collection: Collection<StoredDocument<S>>,
  documents: readonly StoredDocument<S>[],
): Promise<number> {
  try {
    await collection.insertMany(documents as unknown as Parameters<typeof collection.insertMany>[0], { ordered: true });
    return documents.length;
  } catch (error) {
    const refused = error instanceof MongoBulkWriteError ? [error.writeErrors].flat()[0] : undefined;
    if (refusedIndex(error) === null || !refused) throw error;
    return refused.index;
  }
}
