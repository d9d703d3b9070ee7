// The separate way to cross tenants. Each use states its reason, so that `grep acrossTenants` lists every place and
// why.
import type { TenantId } from '@reeve/contracts';
import type { Clock } from './clock.ts';
import { type CollectionDefinition, fieldOf, hidesExpired, isLive, uniqueKey } from './definition.ts';
import { documentKey, type Entry, entryOf, newDocument, putOperation, type StoredDocument } from './document.ts';
import type { Rows } from './driver.ts';

const pageSize = 1_000;

export type TenantEntry<S> = Entry<S> & { tenantId: TenantId };

type TenantState<S> = { tenantId: TenantId; id: string; state: S };

type Parts<S> = { rows: Rows<StoredDocument<S>>; definition: CollectionDefinition<S>; clock: Clock };

export function createAcrossTenants<S>({ rows, definition, clock }: Parts<S>, reason: string) {
  if (reason.trim() === '') throw new TypeError('crossing tenants needs a reason');
  const live = (document: StoredDocument<S>) => isLive(definition, document, clock.now());
  const withTenant = (document: StoredDocument<S>): TenantEntry<S> => ({
    ...entryOf(definition, document),
    tenantId: document.tenantId,
  });

  return {
    /** The entry that holds the globally unique key `name`. */
    async getByUnique(name: string, key: string): Promise<TenantEntry<S> | null> {
      if (!definition.globallyUnique?.[name])
        throw new TypeError(`${definition.name} has no globally unique "${name}"`);
      const document = await rows.findOne({ [`unique.${name}`]: key });
      return document && live(document) ? withTenant(document) : null;
    },

    /** Those of these entries that are there, of several tenants in one round trip, in no particular order. */
    async getAll(of: readonly { tenantId: TenantId; id: string }[]): Promise<TenantEntry<S>[]> {
      if (of.length === 0) return [];
      const keys = of.map(({ tenantId, id }) => documentKey(tenantId, id));
      return (await rows.find({ _id: { $in: keys } })).filter(live).map(withTenant);
    },

    /** Those entries that hold one of these unique keys of their tenant, in one round trip, in no particular order. */
    async getAllByUnique(name: string, of: readonly { tenantId: TenantId; key: string }[]): Promise<TenantEntry<S>[]> {
      if (!definition.unique?.[name]) throw new TypeError(`${definition.name} has no unique "${name}"`);
      if (of.length === 0) return [];
      const keys = of.map(({ tenantId, key }) => uniqueKey(tenantId, key));
      return (await rows.find({ [`unique.${name}`]: { $in: keys } })).filter(live).map(withTenant);
    },

    /** Those that have this value in a field of `foundAcrossTenants`, in no particular order. */
    async findBy(name: keyof S & string, value: string, limit: number): Promise<TenantEntry<S>[]> {
      if (!definition.foundAcrossTenants?.includes(name))
        throw new TypeError(`${definition.name} is not found by "${name}" across tenants`);
      const counting = hidesExpired(definition) ? { expiresAt: { $not: { $lte: clock.now() } } } : {};
      return (await rows.find({ [fieldOf(name)]: value, ...counting }, { limit })).map(withTenant);
    },

    /** What is due by `dueAt` of the definition, longest overdue first; nothing of the tenants in `except`. */
    async due(limit: number, except: readonly TenantId[] = []): Promise<TenantEntry<S>[]> {
      const ofOthers = except.length === 0 ? {} : { tenantId: { $nin: [...except] } };
      const filter = { dueAt: { $lte: clock.now() }, ...ofOthers };
      return (await rows.find(filter, { sort: { dueAt: 1 }, limit })).map(withTenant);
    },

    /** One page in the order of creation, for platform administration and for sweepers. */
    async list({ after, limit }: { after?: string | undefined; limit: number }): Promise<TenantEntry<S>[]> {
      if (!definition.listedAcrossTenants) throw new TypeError(`${definition.name} is not listed across tenants`);
      const documents = await rows.find(after === undefined ? {} : { id: { $gt: after } }, { sort: { id: 1 }, limit });
      return documents.filter(live).map(withTenant);
    },

    /**
     * Inserts entries of several tenants without events in the order given, in one round trip. Returns how many went
     * in: fewer than given when one was refused because its id or a unique key is taken, and then none after that one.
     */
    insertInOrder(entries: readonly TenantState<S>[]): Promise<number> {
      const now = clock.now();
      return rows.insertInOrder(entries.map(entry => newDocument(definition, entry, now)));
    },

    /**
     * Writes states of several tenants without events, in one round trip: read models and bookkeeping that nobody else
     * is told of.
     */
    async putAll(entries: readonly TenantState<S>[]): Promise<void> {
      const now = clock.now();
      await rows.write(entries.map(entry => ({ updateOne: putOperation(definition, entry, now) })));
    },

    /** Every entry of every tenant, tenant by tenant, page by page; those after `after` where it is given. */
    async *all({
      after: from,
    }: {
      after?: { tenantId: TenantId; id: string } | undefined;
    } = {}): AsyncGenerator<TenantEntry<S>> {
      let after = from ? documentKey(from.tenantId, from.id) : '';
      for (;;) {
        const page = await rows.find({ _id: { $gt: after } }, { sort: { _id: 1 }, limit: pageSize });
        yield* page.filter(live).map(withTenant);
        after = page.at(-1)?._id ?? '';
        if (page.length < pageSize) return;
      }
    },
  };
}
