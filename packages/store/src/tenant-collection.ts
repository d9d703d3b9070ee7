// A collection as seen by one tenant. Every command it sends carries that tenant's id; there is no method that does not.
import { type Cause, isId, type TenantId } from '@reeve/contracts';
import type { Collection, Filter } from 'mongodb';
import type { Clock } from './clock.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { type CollectionDefinition, datesOf, fieldOf, isLive, keySeparator, sortOf } from './definition.ts';
import { documentKey, type Entry, entryOf, newDocument, putOperation, type StoredDocument } from './document.ts';
import { DuplicateKeyError, refusedIndex, VersionConflictError } from './errors.ts';
import { insertInOrder } from './insert-in-order.ts';
import type { OfferedDocument } from './relay.ts';
import { type Draft, stamp } from './stamp.ts';

/** What a decision returns: the new state and what happened. Null means that nothing is to change. */
export type Decision<S> = { state: S; events: readonly Draft[] } | null;

/** What a declared query is asked for: of a field that holds a list, one of its entries. */
export type Equality<S> = { [K in keyof S]?: S[K] extends readonly (infer One)[] ? One : S[K] };

export type Page<S> = { items: Entry<S>[]; nextCursor: string | null };

export type ListOptions<S> = {
  limit: number;
  cursor?: string | undefined;
  /** Narrows further within the shape. Not served by the index: keep it to what a page can afford to skip. */
  where?: Filter<S>;
};

/** Tells the relay that a document has events to publish. */
type Offer = (document: OfferedDocument) => void;

export type Parts<S> = {
  collection: Collection<StoredDocument<S>>;
  definition: CollectionDefinition<S>;
  clock: Clock;
  source: string;
  publishLeaseMs: number;
  /** False in a journal, whose rows publish when they are created and not when they change. */
  hasOutbox: boolean;
  offer: Offer;
};

export type TenantCollection<S> = ReturnType<typeof createTenantCollection<S>>;

const attemptsAtARace = 12;
const readAtOnce = 500;

function waitingIn(document: StoredDocument<unknown> | null): { messages: number; bytes: number } {
  const outbox = document?.outbox ?? [];
  const bytes = outbox.reduce(
    (sum, { event }) => sum + (event.data instanceof Uint8Array ? event.data.byteLength : 0),
    0,
  );
  return { messages: outbox.length, bytes };
}

export function createTenantCollection<S>(parts: Parts<S>, tenantId: TenantId) {
  if (!isId('tenant', tenantId)) throw new TypeError(`not a tenant id: ${String(tenantId)}`);
  const { collection, definition, clock, source, publishLeaseMs, hasOutbox, offer } = parts;
  type Stored = StoredDocument<S>;
  const keyed = (id: string) => ({ _id: documentKey(tenantId, id), tenantId }) as Filter<Stored>;
  const live = (document: Stored | null) => (document && isLive(definition, document, clock.now()) ? document : null);

  function nextDocument(
    current: Stored | null,
    id: string,
    decision: { state: S; events: readonly Draft[] },
    cause: Cause,
  ) {
    if (!hasOutbox && decision.events.length > 0) throw new TypeError(`a change in ${definition.name} has no events`);
    const now = clock.now();
    const messages = decision.events.map(event =>
      stamp(event, { id: clock.newEventId(), time: now, source, tenantId, cause }),
    );
    const outbox = [...(current?.outbox ?? []), ...messages];
    return {
      ...newDocument(definition, { tenantId, id, state: decision.state }, now),
      version: (current?.version ?? 0) + 1,
      outbox,
      ...(outbox.length > 0 ? { outboxAt: new Date(now.getTime() + publishLeaseMs) } : {}),
      ...(current?.journal ? { journal: current.journal } : {}),
    } satisfies Stored as Stored;
  }

  /** One write. False when another writer was faster. Throws DuplicateKeyError for a unique key of the definition. */
  async function write(current: Stored | null, next: Stored): Promise<boolean> {
    try {
      if (!current) {
        await collection.insertOne(next as Parameters<typeof collection.insertOne>[0]);
        return true;
      }
      const filter = { ...keyed(next.id), version: current.version } as Filter<Stored>;
      return (
        (await collection.replaceOne(filter, next as Parameters<typeof collection.replaceOne>[1])).matchedCount === 1
      );
    } catch (error) {
      const index = refusedIndex(error);
      if (index === null) throw error;
      if (index === '_id') return false;
      throw new DuplicateKeyError(index, { cause: error });
    }
  }

  function tell({ _id: key, version, outbox }: Stored, previous: Stored | null) {
    if (outbox.length > 0) offer({ key, tenantId, version, outbox, inherited: previous?.outbox ?? [] });
  }

  /** What a declared query finds, and in which order. */
  function selection(name: string, equality: Equality<S>, where: Filter<S> = {}) {
    const query = definition.queries?.[name];
    if (!query) throw new TypeError(`${definition.name} declares no query "${name}"`);
    const asked = [
      ...query.equality.map(key => [key, equality[key]] as const),
      ...Object.entries(where).map(([key, condition]) => [key, condition as unknown] as const),
    ];
    const conditions = asked.map(([key, condition]) => ({ [fieldOf(key)]: condition }) as Filter<Stored>);
    if (definition.expiresAt && !definition.countsUntilRemoved) {
      const isLiveNow = [{ expiresAt: { $exists: false } }, { expiresAt: { $gt: clock.now() } }];
      conditions.push({ $or: isLiveNow } as Filter<Stored>);
    }
    const { field, order } = sortOf(query);
    const sort: Record<string, 1 | -1> = field === 'id' ? { id: order } : { [field]: order, id: order };
    return { query, conditions, sort };
  }

  const filterOf = (conditions: Filter<Stored>[]) =>
    ({ tenantId, ...(conditions.length > 0 ? { $and: conditions } : {}) }) as Filter<Stored>;

  async function find(id: string): Promise<Stored | null> {
    return (await collection.findOne(keyed(id))) as Stored | null;
  }

  return {
    tenantId,

    async get(id: string): Promise<Entry<S> | null> {
      const document = live(await find(id));
      return document && entryOf(document);
    },

    /** The entry that holds the unique key `name` of the definition. */
    async getByUnique(name: string, key: string): Promise<Entry<S> | null> {
      const filter = { [`unique.${name}`]: `${tenantId}${keySeparator}${key}`, tenantId } as Filter<Stored>;
      const document = live((await collection.findOne(filter)) as Stored | null);
      return document && entryOf(document);
    },

    /**
     * Loads, decides, saves state and events in one document write, and retries a lost race from a fresh read.
     * `decide` is pure and may run more than once; it also learns how much of the entry waits to be published. The draft events get their ids and times when the write is made.
     * Throws VersionConflictError after too many lost races or when `expectedVersion` is not current.
     */
    async change(
      id: string,
      decide: (state: S | null, waiting: { messages: number; bytes: number }) => Decision<S>,
      options: { cause: Cause; expectedVersion?: number | undefined },
    ): Promise<Entry<S> | null> {
      for (let attempt = 0; attempt < attemptsAtARace; attempt += 1) {
        const found = await find(id);
        const current = live(found);
        if (options.expectedVersion !== undefined && current?.version !== options.expectedVersion) {
          throw new VersionConflictError(options.expectedVersion);
        }
        const decision = decide(current ? current.state : null, waitingIn(found));
        if (!decision) return current && entryOf(current);
        const next = nextDocument(found, id, decision, options.cause);
        if (await write(found, next)) {
          tell(next, found);
          return entryOf(next);
        }
        if (attempt > 1) await new Promise(resolve => setTimeout(resolve, Math.random() * 5 * attempt));
      }
      throw new VersionConflictError();
    },

    /** Creates without reading first: one round trip. Null when the id is taken. */
    async create(id: string, decision: NonNullable<Decision<S>>, cause: Cause): Promise<Entry<S> | null> {
      const next = nextDocument(null, id, decision, cause);
      if (!(await write(null, next))) return null;
      tell(next, null);
      return entryOf(next);
    },

    /** One page of a declared query. Throws `cursor_invalid` for a cursor of another tenant or list. */
    async list(name: string, equality: Equality<S>, options: ListOptions<S>): Promise<Page<S>> {
      const { query, conditions, sort } = selection(name, equality, options.where);
      const { field, order } = sortOf(query);
      const scope = { tenantId, list: `${definition.name}.${name}` };
      if (options.cursor !== undefined) {
        const { sort: last, id } = decodeCursor(scope, options.cursor);
        const beyond = order === 1 ? '$gt' : '$lt';
        conditions.push(
          (field === 'id'
            ? { id: { [beyond]: id } }
            : {
                // The first condition bounds the index; the second alone would not.
                [field]: { [`${beyond}e`]: last },
                $or: [{ [field]: { [beyond]: last } }, { [field]: last, id: { [beyond]: id } }],
              }) as Filter<Stored>,
        );
      }
      const documents = (await collection
        .find(filterOf(conditions))
        .sort(sort)
        .limit(options.limit + 1)
        .toArray()) as Stored[];
      const items = documents.slice(0, options.limit).map(entryOf);
      const last = items.at(-1);
      const sortValue = last && query.sort ? (last.state[query.sort] as string | number | null) : null;
      const more = documents.length > options.limit && last;
      return { items, nextCursor: more ? encodeCursor(scope, { sort: sortValue, id: last.id }) : null };
    },

    /** How many entries of a declared query there are, narrowed by `where`. */
    count(name: string, equality: Equality<S>, where?: Filter<S>): Promise<number> {
      return collection.countDocuments(filterOf(selection(name, equality, where).conditions));
    },

    /** Every entry of a declared query, in its order: for work inside a service, with constant memory. */
    async *all(name: string, equality: Equality<S>, where?: Filter<S>): AsyncGenerator<Entry<S>> {
      const { conditions, sort } = selection(name, equality, where);
      const found = collection.find(filterOf(conditions)).sort(sort).batchSize(readAtOnce);
      for await (const document of found) yield entryOf(document as Stored);
    },

    /**
     * Inserts many entries without events in the order given, in one round trip. Returns how many went in: fewer than
     * given when one was refused because its id or a unique key is taken, and then none after that one.
     */
    async insertInOrder(entries: readonly { id: string; state: S }[]): Promise<number> {
      const now = clock.now();
      const documents = entries.map(({ id, state }) => newDocument(definition, { tenantId, id, state }, now));
      return insertInOrder(collection, documents);
    },

    /** Writes state without events: read models and bookkeeping that nobody else is told of. */
    async put(id: string, state: S): Promise<void> {
      const { filter, update, upsert } = putOperation(definition, { tenantId, id, state }, clock.now());
      await collection.updateOne(
        filter as Filter<Stored>,
        update as unknown as Parameters<typeof collection.updateOne>[1],
        {
          upsert,
        },
      );
    },

    /** Sets fields of several entries, without events. Neither unique keys nor expiry nor due date may rest on them. */
    async patch(ids: readonly string[], changed: Partial<S>): Promise<void> {
      const fields = Object.fromEntries(Object.entries(changed).map(([name, value]) => [fieldOf(name), value]));
      const filter = { _id: { $in: ids.map(id => documentKey(tenantId, id)) }, tenantId } as Filter<Stored>;
      await collection.updateMany(filter, { $set: fields, $inc: { version: 1 } } as never);
    },

    /** Adds to numbers of an entry, which starts as `initial`: one round trip, and concurrent calls add up. Without events. */
    async add(id: string, amounts: Partial<Record<keyof S & string, number>>, initial: S): Promise<void> {
      const fields = Object.entries(amounts);
      const rest = Object.entries(initial as Record<string, unknown>).filter(([name]) => !(name in amounts));
      const onInsert = { id, outbox: [], unique: {}, changedAt: clock.now(), ...datesOf(definition, initial) };
      await collection.updateOne(
        keyed(id),
        {
          $inc: { version: 1, ...Object.fromEntries(fields.map(([name, amount]) => [fieldOf(name), amount])) },
          $setOnInsert: { ...onInsert, ...Object.fromEntries(rest.map(([name, value]) => [fieldOf(name), value])) },
        } as unknown as Parameters<typeof collection.updateOne>[1],
        { upsert: true },
      );
    },

    /** Removes and returns in one step: for what may be used once. */
    async take(id: string): Promise<Entry<S> | null> {
      const document = live((await collection.findOneAndDelete(keyed(id))) as Stored | null);
      return document && entryOf(document);
    },

    async remove(id: string): Promise<void> {
      await collection.deleteOne(keyed(id));
    },

    /** In one round trip. Of entries that have no events: what waits to be published would go with them. */
    async removeAll(ids: readonly string[]): Promise<void> {
      if (ids.length === 0) return;
      const operations = ids.map(id => ({ deleteOne: { filter: keyed(id) } }));
      await collection.bulkWrite(operations as unknown as Parameters<typeof collection.bulkWrite>[0], {
        ordered: false,
      });
    },
  };
}
