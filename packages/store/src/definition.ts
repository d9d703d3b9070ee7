// What a collection declares: its unique keys and the shapes of its queries. The indexes follow from the shapes, so a query
// that the code can build is always served by an index in the order equality, sort (the "ESR" rule): there is no other
// way to ask. docs: https://www.mongodb.com/docs/manual/tutorial/equality-sort-range-guideline/
import type { IndexDescription } from 'mongodb';

export type QueryShape<S> = {
  equality: readonly (keyof S & string)[];
  /** Field of the state that orders the list; the id (order of creation) where none is given. */
  sort?: keyof S & string;
  direction?: 'ascending' | 'descending';
};

export type CollectionDefinition<S> = {
  name: string;
  /** Unique within the tenant. The function gives the key, or null where the state has none. */
  unique?: Record<string, (state: S, id: string) => string | null>;
  /** Unique over all tenants: what a caller knows before the tenant is known. */
  globallyUnique?: Record<string, (state: S, id: string) => string | null>;
  queries?: Record<string, QueryShape<S>>;
  /** When the state ends by itself. Checked on every read; the TTL index only tidies up. */
  expiresAt?: (state: S) => Date | null;
  /** With `expiresAt`: counts as long as it is there, since being remembered longer than promised does no harm. */
  countsUntilRemoved?: boolean;
  /** When a sweep should look at it (`acrossTenants().due`); null while there is nothing to do. */
  dueAt?: (state: S) => Date | null;
  /** The document has served once its events are published (facts). */
  removeWhenPublished?: boolean;
};

export const keySeparator = '|';

/** Grace between expiry and removal, so that a document whose events wait for Kafka is not tidied away with them. */
const removeAfterExpirySeconds = 86_400;

export function fieldOf(name: string): string {
  return name === 'id' ? 'id' : `state.${name}`;
}

export function sortOf<S>(query: QueryShape<S>): { field: string; order: 1 | -1 } {
  return { field: fieldOf(query.sort ?? 'id'), order: query.direction === 'descending' ? -1 : 1 };
}

export function indexesOf<S>(definition: CollectionDefinition<S>, hasOutbox = true): IndexDescription[] {
  const uniqueNames = [...Object.keys(definition.unique ?? {}), ...Object.keys(definition.globallyUnique ?? {})];
  const unique = uniqueNames.map(name => ({ key: { [`unique.${name}`]: 1 as const }, unique: true, sparse: true }));
  const shapes = Object.values(definition.queries ?? {});
  // An index is read in both directions: two lists that differ in nothing else share one.
  const distinct = shapes.filter(
    (one, at) => shapes.findIndex(other => one.sort === other.sort && `${one.equality}` === `${other.equality}`) === at,
  );
  const queries = distinct.map(query => {
    const { field, order } = sortOf(query);
    const equality = query.equality.map(name => [fieldOf(name), 1 as const] as const);
    const key: Record<string, 1 | -1> = Object.fromEntries([['tenantId', 1], ...equality, [field, order]]);
    return { key: field === 'id' ? key : { ...key, id: order } };
  });
  const expiry = definition.expiresAt
    ? [{ key: { expiresAt: 1 as const }, expireAfterSeconds: removeAfterExpirySeconds }]
    : [];
  const due = definition.dueAt ? [{ key: { dueAt: 1 as const }, sparse: true }] : [];
  return [
    ...unique,
    ...queries,
    ...expiry,
    ...due,
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
  return definition.countsUntilRemoved === true || !(expiresAt && expiresAt <= now);
}

export function uniqueKeysOf<S>(
  definition: CollectionDefinition<S>,
  tenantId: string,
  entry: { id: string; state: S },
): Record<string, string> {
  const keys: Record<string, string> = {};
  for (const [name, keyOf] of Object.entries(definition.unique ?? {})) {
    const key = keyOf(entry.state, entry.id);
    if (key !== null) keys[name] = `${tenantId}${keySeparator}${key}`;
  }
  for (const [name, keyOf] of Object.entries(definition.globallyUnique ?? {})) {
    const key = keyOf(entry.state, entry.id);
    if (key !== null) keys[name] = key;
  }
  return keys;
}
