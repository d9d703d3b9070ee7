// A collection as seen by one tenant. Every command it sends carries that tenant's id; there is no method that does
// not.
import { type Cause, isId, type TenantId } from '@reeve/contracts';
import type { Clock } from './clock.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import {
  type CollectionDefinition,
  datesOf,
  fieldOf,
  hidesExpired,
  indexKeyOf,
  isLive,
  sortOf,
  uniqueKey,
} from './definition.ts';
import {
  changeOperation,
  documentKey,
  type Entry,
  entryOf,
  newDocument,
  putOperation,
  type StoredDocument,
  stateOf,
  stateVersionOf,
} from './document.ts';
import type { Conditions, Rows, Sort } from './driver.ts';
import { DuplicateKeyError, refusedIndex, VersionConflictError } from './errors.ts';
import type { Outbox, Relay } from './relay.ts';
import { type Draft, stamp } from './stamp.ts';

/** What a decision returns: the new state and what happened. Null means that nothing is to change. */
export type Decision<S> = { state: S; events: readonly Draft[] } | null;

/** Which fields of a change differ from what they were, compared by what they hold. */
export function changedIn<S extends object>(state: S, change: Partial<S>): (keyof S)[] {
  return (Object.keys(change) as (keyof S)[]).filter(
    name => JSON.stringify(state[name]) !== JSON.stringify(change[name]),
  );
}

/** What a declared query is asked for: of a field that holds a list, one of its entries. */
export type Equality<S> = { [K in keyof S]?: S[K] extends readonly (infer One)[] ? One : S[K] };

export type Page<S> = { items: Entry<S>[]; nextCursor: string | null };

type Bound = string | number;

export type Narrowing<S> = {
  /** Of the field that orders the list: `from` and `to` are part of it, `after` and `before` are not. */
  range?: { from?: Bound | undefined; after?: Bound | undefined; to?: Bound | undefined; before?: Bound | undefined };
  /** Values of fields that the shape declares in `narrowedBy`. */
  only?: Equality<S>;
};

export type ListOptions<S> = Narrowing<S> & {
  limit: number;
  cursor?: string | undefined;
  /**
   * What no index can tell. At most `mostRead` entries are read for it: a page may then be short, or empty, and have a
   * cursor.
   */
  keep?: (entry: Entry<S>) => boolean;
};

export type Waiting = { messages: number; bytes: number };

export type ChangeOptions<S> = {
  cause: Cause;
  /** The version that the caller has seen, if it said so; 0 where there was none. */
  expectedVersion?: number | undefined;
  /**
   * Awaited between the read and the decision: for what the decision needs besides, as it is after the state was read.
   */
  gather?: (state: S | null, waiting: Waiting) => Promise<void>;
};

export type Parts<S> = {
  rows: Rows<StoredDocument<S>>;
  definition: CollectionDefinition<S>;
  clock: Clock;
  source: string;
  relay: Relay;
  /** Null in a journal, whose rows publish when they are created and not when they change. */
  outbox: Outbox | null;
};

export type TenantCollection<S> = ReturnType<typeof createTenantCollection<S>>;

const attemptsAtARace = 12;
const readAtOnce = 500;
const mostRead = 5_000;

export function createTenantCollection<S>(parts: Parts<S>, tenantId: TenantId) {
  if (!isId('tenant', tenantId)) throw new TypeError(`not a tenant id: ${String(tenantId)}`);
  const { rows, definition, clock, source, relay, outbox } = parts;
  type Stored = StoredDocument<S>;
  const keyed = (id: string) => ({ _id: documentKey(tenantId, id), tenantId });
  const live = (document: Stored | null) => (document && isLive(definition, document, clock.now()) ? document : null);
  const entry = (document: Stored | null) => document && entryOf(definition, document);

  function messagesOf(events: readonly Draft[], cause: Cause, now: Date) {
    if (!outbox && events.length > 0) throw new TypeError(`a change in ${definition.name} has no events`);
    return events.map(event => stamp(event, { id: clock.newEventId(), time: now, source, tenantId, cause }));
  }

  /**
   * Does a write. False when another writer was faster. A unique key that an expired entry holds is taken from it;
   * throws DuplicateKeyError for one that is held by right.
   */
  async function writeOnce(write: () => Promise<boolean>, unique: Record<string, string>): Promise<boolean> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await write();
      } catch (error) {
        const index = refusedIndex(error);
        if (index === null) throw error;
        if (index === '_id') return false;
        const freed = attempt < Object.keys(unique).length && (await freeFromExpired(index, unique[index] ?? ''));
        if (!freed) throw new DuplicateKeyError(index, { cause: error });
      }
    }
  }

  async function freeFromExpired(name: string, key: string): Promise<boolean> {
    if (!hidesExpired(definition)) return false;
    const holder = { [`unique.${name}`]: key, expiresAt: { $lte: clock.now() } };
    return rows.updateOne(definition.unique?.[name] ? { ...holder, tenantId } : holder, {
      $unset: { [`unique.${name}`]: '' },
    });
  }

  async function insert(id: string, { state, events }: NonNullable<Decision<S>>, cause: Cause): Promise<Stored | null> {
    const now = clock.now();
    const messages = messagesOf(events, cause, now);
    const claim = outbox && messages.length > 0 ? relay.claim(outbox, null) : null;
    const document: Stored = {
      ...newDocument(definition, { tenantId, id, state }, now),
      outbox: messages,
      ...claim,
    };
    const inserted = await writeOnce(() => rows.insertOne(document).then(() => true), document.unique);
    if (!inserted) return null;
    if (outbox && claim) relay.offer(outbox, document, null);
    return document;
  }

  async function update(
    found: Stored,
    { state, events }: NonNullable<Decision<S>>,
    cause: Cause,
  ): Promise<Entry<S> | null> {
    const now = clock.now();
    const { id, version } = found;
    const messages = messagesOf(events, cause, now);
    const operation = changeOperation(definition, { tenantId, id, state }, now);
    const claim = outbox && messages.length > 0 ? relay.claim(outbox, found) : null;
    const appending = messages.length > 0 ? { $push: { outbox: { $each: messages } } } : {};
    const condition = messages.length > 0 ? relay.condition(found, claim) : {};
    const written = await writeOnce(
      () =>
        rows.updateOne(
          { ...keyed(id), version, ...condition },
          { ...operation, ...appending, $set: { ...operation['$set'], ...claim } },
        ),
      operation['$set']?.['unique'] as Record<string, string>,
    );
    if (!written) return null;
    const next: Stored = { ...found, version: version + 1, state, changedAt: now, outbox: messages, ...claim };
    if (outbox && claim) relay.offer(outbox, next, found);
    return { id, version: version + 1, state, changedAt: now };
  }

  const range = ({ from, after, to, before }: NonNullable<Narrowing<S>['range']>) => ({
    ...(from === undefined ? {} : { $gte: from }),
    ...(after === undefined ? {} : { $gt: after }),
    ...(to === undefined ? {} : { $lte: to }),
    ...(before === undefined ? {} : { $lt: before }),
  });

  /** What a declared query finds, and in which order. */
  function selection(name: string, equality: Equality<S>, { range: bounds = {}, only = {} }: Narrowing<S> = {}) {
    const query = definition.queries?.[name];
    if (!query) throw new TypeError(`${definition.name} declares no query "${name}"`);
    const undeclared = Object.keys(only).find(field => !query.narrowedBy?.some(declared => declared === field));
    if (undeclared !== undefined) throw new TypeError(`the query "${name}" is not narrowed by "${undeclared}"`);
    const { field, order } = sortOf(query);
    const sorted = range(bounds);
    const conditions: Conditions[] = [
      ...query.equality.map(key => ({ [fieldOf(key)]: equality[key] })),
      ...(Object.keys(sorted).length > 0 ? [{ [field]: sorted }] : []),
      ...Object.entries(only).map(([key, value]) => ({ [fieldOf(key)]: value })),
      // Also true of those that never expire.
      ...(hidesExpired(definition) ? [{ expiresAt: { $not: { $lte: clock.now() } } }] : []),
    ];
    const sort: Sort = field === 'id' ? { id: order } : { [field]: order, id: order };
    // The index is named: among several the planner may choose one that narrows by less, and then reads to throw away.
    return { query, conditions, sort, hint: indexKeyOf(definition, query) };
  }

  const filterOf = (conditions: readonly Conditions[]): Conditions => ({
    tenantId,
    ...(conditions.length > 0 ? { $and: conditions } : {}),
  });

  return {
    tenantId,

    async get(id: string): Promise<Entry<S> | null> {
      return entry(live(await rows.findOne(keyed(id))));
    },

    /** Those of them that are there, in any order, in one round trip. */
    async getAll(ids: readonly string[]): Promise<Entry<S>[]> {
      if (ids.length === 0) return [];
      const found = await rows.find({ _id: { $in: ids.map(id => documentKey(tenantId, id)) }, tenantId });
      return found
        .filter(document => isLive(definition, document, clock.now()))
        .map(document => entryOf(definition, document));
    },

    /** The entry that holds the unique key `name` of the definition. */
    async getByUnique(name: string, key: string): Promise<Entry<S> | null> {
      return entry(live(await rows.findOne({ [`unique.${name}`]: uniqueKey(tenantId, key), tenantId })));
    },

    /**
     * Loads, decides, saves state and events in one document write, and retries a lost race from a fresh read. `decide`
     * is pure and may run more than once; it also learns how much of the entry waits to be published. The draft events
     * get their ids and times when the write is made. Throws VersionConflictError after too many lost races or when
     * `expectedVersion` is not current.
     */
    async change(
      id: string,
      decide: (state: S | null, waiting: Waiting) => Decision<S>,
      { cause, expectedVersion, gather }: ChangeOptions<S>,
    ): Promise<Entry<S> | null> {
      for (let attempt = 0; attempt < attemptsAtARace; attempt += 1) {
        const found = await rows.findOne(keyed(id));
        const current = live(found);
        if (expectedVersion !== undefined && (current?.version ?? 0) !== expectedVersion)
          throw new VersionConflictError(expectedVersion);
        const state = current && stateOf(definition, current);
        await gather?.(state, waitingIn(found));
        const decision = decide(state, waitingIn(found));
        if (!decision) return entry(current);
        const written = found ? await update(found, decision, cause) : entry(await insert(id, decision, cause));
        if (written) return written;
        if (attempt > 1) await new Promise(resolve => setTimeout(resolve, Math.random() * 5 * attempt));
      }
      throw new VersionConflictError();
    },

    /** Creates without reading first: one round trip. Null when the id is taken. */
    async create(id: string, decision: NonNullable<Decision<S>>, cause: Cause): Promise<Entry<S> | null> {
      return entry(await insert(id, decision, cause));
    },

    /** One page of a declared query. Throws `cursor_invalid` for a cursor of another tenant or list. */
    async list(name: string, equality: Equality<S>, options: ListOptions<S>): Promise<Page<S>> {
      const { query, conditions, sort, hint } = selection(name, equality, options);
      const { field, order } = sortOf(query);
      const scope = { tenantId, list: `${definition.name}.${name}` };
      if (options.cursor !== undefined) {
        const { sort: last, id } = decodeCursor(scope, options.cursor);
        const beyond = order === 1 ? '$gt' : '$lt';
        conditions.push(
          field === 'id'
            ? { id: { [beyond]: id } }
            : {
                // The first condition bounds the index; the second alone would not.
                [field]: { [`${beyond}e`]: last },
                $or: [{ [field]: { [beyond]: last } }, { [field]: last, id: { [beyond]: id } }],
              },
        );
      }
      const cursorAt = ({ id, state }: Entry<S>) =>
        encodeCursor(scope, { sort: query.sort ? (state[query.sort] as Bound | null) : null, id });
      const { limit, keep } = options;
      if (!keep) {
        const found = (await rows.find(filterOf(conditions), { sort, hint, limit: limit + 1 })).map(one =>
          entryOf(definition, one),
        );
        const items = found.slice(0, limit);
        const last = items.at(-1);
        return { items, nextCursor: found.length > limit && last ? cursorAt(last) : null };
      }
      const items: Entry<S>[] = [];
      let read = 0;
      const batchSize = Math.min(readAtOnce, limit * 4);
      for await (const document of rows.stream(filterOf(conditions), { sort, hint, batchSize })) {
        const one = entryOf(definition, document);
        const last = items.at(-1);
        if (items.length === limit && last) return { items, nextCursor: cursorAt(last) };
        if (keep(one)) items.push(one);
        read += 1;
        if (read === mostRead) return { items, nextCursor: cursorAt(one) };
      }
      return { items, nextCursor: null };
    },

    /** How many entries of a declared query there are. */
    count(name: string, equality: Equality<S>, narrowing?: Narrowing<S>): Promise<number> {
      const { conditions, hint } = selection(name, equality, narrowing);
      return rows.count(filterOf(conditions), hint);
    },

    /** Every entry of a declared query, in its order: for work inside a service, with constant memory. */
    async *all(name: string, equality: Equality<S>, narrowing?: Narrowing<S>): AsyncGenerator<Entry<S>> {
      const { conditions, sort, hint } = selection(name, equality, narrowing);
      for await (const document of rows.stream(filterOf(conditions), { sort, hint, batchSize: readAtOnce }))
        yield entryOf(definition, document);
    },

    /**
     * Inserts many entries without events in the order given, in one round trip. Returns how many went in: fewer than
     * given when one was refused because its id or a unique key is taken, and then none after that one.
     */
    insertInOrder(entries: readonly { id: string; state: S }[]): Promise<number> {
      const now = clock.now();
      return rows.insertInOrder(entries.map(({ id, state }) => newDocument(definition, { tenantId, id, state }, now)));
    },

    /** Writes state without events: read models and bookkeeping that nobody else is told of. */
    async put(id: string, state: S): Promise<void> {
      const { filter, update: operation, upsert } = putOperation(definition, { tenantId, id, state }, clock.now());
      await rows.updateOne(filter, operation, { upsert }).catch((error: unknown) => {
        const index = refusedIndex(error);
        throw index === null ? error : new DuplicateKeyError(index, { cause: error });
      });
    },

    /**
     * Sets fields of several entries, without events. Neither unique keys nor expiry nor due date may rest on them, and
     * they are the same in every version of the state.
     */
    patch(ids: readonly string[], changed: Partial<S>): Promise<void> {
      const fields = Object.fromEntries(Object.entries(changed).map(([name, value]) => [fieldOf(name), value]));
      const filter = { _id: { $in: ids.map(id => documentKey(tenantId, id)) }, tenantId };
      return rows.updateMany(filter, { $set: fields, $inc: { version: 1 } });
    },

    /**
     * Adds to numbers of an entry, which starts as `initial`: one round trip, and concurrent calls add up. Without
     * events. Returns the state that came of it. The numbers keep their names in every version of the state, since it
     * is not read before.
     */
    async add(id: string, amounts: Partial<Record<keyof S & string, number>>, initial: S): Promise<S> {
      const fields = Object.entries(amounts).map(([name, amount]) => [fieldOf(name), amount] as const);
      const rest = Object.entries(initial as Record<string, unknown>)
        .filter(([name]) => !(name in amounts))
        .map(([name, value]) => [fieldOf(name), value] as const);
      const onInsert = {
        id,
        ...stateVersionOf(definition),
        outbox: [],
        unique: {},
        changedAt: clock.now(),
        ...datesOf(definition, initial),
      };
      const added = await rows.updateAndGet(
        keyed(id),
        {
          $inc: { version: 1, ...Object.fromEntries(fields) },
          $setOnInsert: { ...onInsert, ...Object.fromEntries(rest) },
        },
        { upsert: true },
      );
      return added ? stateOf(definition, added) : initial;
    },

    /** Removes and returns in one step: for what may be used once. */
    async take(id: string): Promise<Entry<S> | null> {
      return entry(live(await rows.take(keyed(id))));
    },

    remove: (id: string): Promise<void> => rows.deleteOne(keyed(id)),

    /** In one round trip. Of entries that have no events: what waits to be published would go with them. */
    async removeAll(ids: readonly string[]): Promise<void> {
      await rows.write(ids.map(id => ({ deleteOne: { filter: keyed(id) } })));
    },
  };
}

function waitingIn(document: StoredDocument<unknown> | null): Waiting {
  const outbox = document?.outbox ?? [];
  const sizeOf = (data: unknown) => (data instanceof Uint8Array ? data.byteLength : 0);
  return { messages: outbox.length, bytes: outbox.reduce((sum, { event }) => sum + sizeOf(event.data), 0) };
}
