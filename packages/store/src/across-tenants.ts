// The separate way to cross tenants. Each use states its reason, so that `grep acrossTenants` lists every place and why.
import type { Collection, Filter } from 'mongodb';
import type { Clock } from './clock.ts';
import { type CollectionDefinition, isLive, sortOf } from './definition.ts';
import { type Entry, entryOf, type StoredDocument } from './document.ts';

const pageSize = 1_000;

export type TenantEntry<S> = Entry<S> & { tenantId: StoredDocument<S>['tenantId'] };

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
