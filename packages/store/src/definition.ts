// What a collection declares, as a value: its unique keys, the shapes of its queries, how long its entries count, and
// the version of their state. The indexes follow from it, so every query that the code can build is served by an index
// in the order equality, sort, range ("ESR"), and what narrows it further stands in the same index: documents are read
// only to be returned. https://www.mongodb.com/docs/manual/tutorial/equality-sort-range-guideline/
import type { IndexDescription } from 'mongodb';

export type QueryShape<S> = {
  equality: readonly (keyof S & string)[];
  /** Field of the state that orders the list; the id (order of creation) where none is given. */
  sort?: keyof S & string;
  direction?: 'ascending' | 'descending';
  /** Fields by whose values the list can be narrowed (`only`). They stand at the end of the index. */
  narrowedBy?: readonly (keyof S & string)[];
};

/** What is declared of the form in which something is stored. */
export type Shape<S> = {
  /** 1 unless said otherwise. Raised together with `upgrade`. */
  version?: number;
  /**
   * Makes of a state of an older version one of the present. Pure. Asked whenever such a document is read, until it is
   * changed.
   */
  upgrade?: (state: unknown, from: number) => S;
};

export type CollectionDefinition<S> = Shape<S> & {
  name: string;
  /** Unique within the tenant. The function gives the key, or null where the state has none. */
  unique?: Record<string, (state: S, id: string) => string | null>;
  /** Unique over all tenants: what a caller knows before the tenant is known. */
  globallyUnique?: Record<string, (state: S, id: string) => string | null>;
  queries?: Record<string, QueryShape<S>>;
  /** Fields by whose value entries of all tenants are found (`acrossTenants().findBy`). */
  foundAcrossTenants?: readonly (keyof S & string)[];
  /** Pages over all tenants (`acrossTenants().list`), in the order of creation. */
  listedAcrossTenants?: boolean;
  /**
   * When the state ends by itself. Checked on every read; the TTL index only tidies up. An expired entry holds no
   * unique key against another.
   */
  expiresAt?: (state: S) => Date | null;
  /**
   * With `expiresAt`: counts, and holds its keys, as long as it is there, since being remembered longer than promised
   * does no harm.
   */
  countsUntilRemoved?: boolean;
  /** When a sweep should look at it (`acrossTenants().due`); null while there is nothing to do. */
  dueAt?: (state: S) => Date | null;
  /** The document has served once its events are published (facts). */
  removeWhenPublished?: boolean;
};

/** A collection as a value, for the store to open. */
export const collection = <S>(definition: CollectionDefinition<S>): CollectionDefinition<S> => definition;

export const inPresentShape = <S>({ version = 1, upgrade }: Shape<S>, stored: S, from = 1): S =>
  from < version && upgrade ? upgrade(stored, from) : stored;

/** Of a key that is unique within its tenant. */
export const uniqueKey = (tenantId: string, key: string): string => `${tenantId}|${key}`;

/** Grace between expiry and removal, so that a document whose events wait for Kafka is not tidied away with them. */
const removeAfterExpirySeconds = 86_400;

export function fieldOf(name: string): string {
  return name === 'id' ? 'id' : `state.${name}`;
}

export function sortOf<S>(query: QueryShape<S>): { field: string; order: 1 | -1 } {
  return { field: fieldOf(query.sort ?? 'id'), order: query.direction === 'descending' ? -1 : 1 };
}

/** Whether an entry may have expired and still be there without counting. */
export const hidesExpired = <S>({ expiresAt, countsUntilRemoved = false }: CollectionDefinition<S>): boolean =>
  expiresAt !== undefined && !countsUntilRemoved;

type IndexKey = Record<string, 1 | -1>;

/** With the tenant, so that what is due of some tenants is passed over without being read. */
const due: IndexDescription = {
  key: { dueAt: 1, tenantId: 1 },
  partialFilterExpression: { dueAt: { $exists: true } },
};

/**
 * An index is read in both directions: lists that differ in nothing else share one, which then holds what narrows each
 * of them.
 */
export function indexKeyOf<S>(definition: CollectionDefinition<S>, shape: QueryShape<S>): IndexKey {
  const sharing = Object.values(definition.queries ?? {}).filter(
    other => other.sort === shape.sort && `${other.equality}` === `${shape.equality}`,
  );
  const { field, order } = sortOf(sharing[0] ?? shape);
  const narrowedBy = new Set(sharing.flatMap(one => one.narrowedBy ?? []));
  return Object.fromEntries([
    ['tenantId', 1],
    ...shape.equality.map(name => [fieldOf(name), 1] as const),
    [field, order],
    ...(field === 'id' ? [] : [['id', order] as const]),
    ...[...narrowedBy].map(name => [fieldOf(name), 1] as const),
    ...(hidesExpired(definition) ? [['expiresAt', 1] as const] : []),
  ]) as IndexKey;
}

function indexesOfQueries<S>(definition: CollectionDefinition<S>): IndexDescription[] {
  const keys = Object.values(definition.queries ?? {}).map(shape => indexKeyOf(definition, shape));
  const distinct = new Map(keys.map(key => [JSON.stringify(key), key]));
  return [...distinct.values()].map(key => ({ key }));
}

export function indexesOf<S>(definition: CollectionDefinition<S>, hasOutbox = true): IndexDescription[] {
  const uniqueNames = [...Object.keys(definition.unique ?? {}), ...Object.keys(definition.globallyUnique ?? {})];
  const expiry = { key: { expiresAt: 1 as const }, expireAfterSeconds: removeAfterExpirySeconds };
  return [
    ...uniqueNames.map(name => ({ key: { [`unique.${name}`]: 1 as const }, unique: true, sparse: true })),
    ...indexesOfQueries(definition),
    ...(definition.foundAcrossTenants ?? []).map(name => ({
      key: { [fieldOf(name)]: 1 as const, ...(hidesExpired(definition) ? { expiresAt: 1 as const } : {}) },
    })),
    ...(definition.listedAcrossTenants ? [{ key: { id: 1 as const } }] : []),
    ...(definition.expiresAt ? [expiry] : []),
    ...(definition.dueAt ? [due] : []),
    ...(hasOutbox ? [{ key: { outboxAt: 1 as const }, sparse: true }] : []),
  ];
}

/** The fields of a document that follow from its state. */
export function datesOf<S>(definition: CollectionDefinition<S>, state: S): { expiresAt?: Date; dueAt?: Date } {
  const expiresAt = definition.expiresAt?.(state) ?? null;
  const dueAt = definition.dueAt?.(state) ?? null;
  return { ...(expiresAt ? { expiresAt } : {}), ...(dueAt ? { dueAt } : {}) };
}

/** Whether it still counts at that time: correctness never waits for the removal. */
export function isLive<S>(
  definition: CollectionDefinition<S>,
  { expiresAt }: { expiresAt?: Date },
  now: Date,
): boolean {
  return !hidesExpired(definition) || !(expiresAt && expiresAt <= now);
}

export function uniqueKeysOf<S>(
  definition: CollectionDefinition<S>,
  tenantId: string,
  entry: { id: string; state: S },
): Record<string, string> {
  const keys: Record<string, string> = {};
  for (const [name, keyOf] of Object.entries(definition.unique ?? {})) {
    const key = keyOf(entry.state, entry.id);
    if (key !== null) keys[name] = uniqueKey(tenantId, key);
  }
  for (const [name, keyOf] of Object.entries(definition.globallyUnique ?? {})) {
    const key = keyOf(entry.state, entry.id);
    if (key !== null) keys[name] = key;
  }
  return keys;
}
