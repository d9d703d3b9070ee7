// The separate way to cross tenants. Each use states its reason, so that `grep acrossTenants` lists every place and why.
import type { Collection, Filter } from 'mongodb';
import type { Clock } from './clock.ts';
import { type CollectionDefinition, isLive, sortOf } from './definition.ts';
import { type Entry, entryOf, newDocument, putOperation, type StoredDocument } from './document.ts';
import { insertInOrder } from './insert-in-order.ts';

const pageSize = 1_000;

export type TenantEntry<S> = Entry<S> & { tenantId: StoredDocument<S>['tenantId'] };

type TenantState<S> = { tenantId: StoredDocument<S>['tenantId']; id: string; state: S };

export function createAcrossTenants<S>(
  {
    collection,
    definition,
    clock,
  }: { collection: Collection<StoredDocument<S>>; definition: CollectionDefinition<S>; clock: Clock },
  reason: string,
) {
  if (reason.trim() === '') throw new TypeError('crossing tenants needs a reason');
  const live = (document: StoredDocument<S>) => isLive(definition, document, clock.now());
  const withTenant = (document: StoredDocument<S>): TenantEntry<S> => ({
    ...entryOf(document),
    tenantId: document.tenantId,
  });

  return {
    /** The entry that holds the globally unique key `name`. */
    async getByUnique(name: string, key: string): Promise<TenantEntry<S> | null> {
      if (!definition.globallyUnique?.[name])
        throw new TypeError(`${definition.name} has no globally unique "${name}"`);
      const document = (await collection.findOne({ [`unique.${name}`]: key } as Filter<
        StoredDocument<S>
      >)) as StoredDocument<S> | null;
      return document && live(document) ? withTenant(document) : null;
    },

    /** What is due by `dueAt` of the definition, longest overdue first. */
    async due(limit: number): Promise<TenantEntry<S>[]> {
      const filter = { dueAt: { $lte: clock.now() } } as Filter<StoredDocument<S>>;
      const documents = await collection.find(filter).sort({ dueAt: 1 }).limit(limit).toArray();
      return (documents as StoredDocument<S>[]).map(withTenant);
    },

    /** One page in the order of creation, for platform administration and for sweepers. */
    async list({ after, limit }: { after?: string | undefined; limit: number }): Promise<TenantEntry<S>[]> {
      const { field } = sortOf<S>({ equality: [] });
      const filter = (after === undefined ? {} : { [field]: { $gt: after } }) as Filter<StoredDocument<S>>;
      const documents = (await collection
        .find(filter)
        .sort({ [field]: 1 })
        .limit(limit)
        .toArray()) as StoredDocument<S>[];
      return documents.filter(live).map(withTenant);
    },

    /**
     * Inserts entries of several tenants without events in the order given, in one round trip. Returns how many went in: fewer than given when one
     * was refused because its id or a unique key is taken, and then none after that one.
     */
    async insertInOrder(entries: readonly TenantState<S>[]): Promise<number> {
      const now = clock.now();
      return insertInOrder(
        collection,
        entries.map(entry => newDocument(definition, entry, now)),
      );
    },

    /** Writes states of several tenants without events, in one round trip: read models and bookkeeping that nobody else is told of. */
    async putAll(entries: readonly TenantState<S>[]): Promise<void> {
      if (entries.length === 0) return;
      const now = clock.now();
      const operations = entries.map(entry => ({ updateOne: putOperation(definition, entry, now) }));
      await collection.bulkWrite(operations as unknown as Parameters<typeof collection.bulkWrite>[0], {
        ordered: false,
      });
    },

    /** Every entry of every tenant, tenant by tenant, page by page. */
    async *all(): AsyncGenerator<TenantEntry<S>> {
      let after = '';
      for (;;) {
        const filter = { _id: { $gt: after } } as Filter<StoredDocument<S>>;
        const page = (await collection.find(filter).sort({ _id: 1 }).limit(pageSize).toArray()) as StoredDocument<S>[];
        yield* page.filter(live).map(withTenant);
        after = page.at(-1)?._id ?? '';
        if (page.length < pageSize) return;
      }
    },
  };
}
