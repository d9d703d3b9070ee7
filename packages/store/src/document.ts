import type { Message, TenantId } from '@reeve/contracts';
import { type CollectionDefinition, datesOf, inPresentShape, uniqueKeysOf } from './definition.ts';
import type { Update } from './driver.ts';

/** How an entry lies in MongoDB. */
export type StoredDocument<S> = {
  _id: string;
  tenantId: TenantId;
  id: string;
  version: number;
  state: S;
  /** The version of the state's shape; 1 where it is missing. */
  stateVersion?: number;
  unique: Record<string, string>;
  /** What waits to be published, oldest first. */
  outbox: Message[];
  /** Which process publishes it, and until when nobody else may. Both are there as long as something waits. */
  outboxOwner?: string;
  outboxAt?: Date;
  expiresAt?: Date;
  changedAt: Date;
  /** When a sweep should look at it, whichever tenant's it is. */
  dueAt?: Date;
  /** Of a row in a journal: what its events are made of, should they have to be made again. */
  journal?: { segment: string; eventIds: string[] };
};

/** What callers see of a document. */
export type Entry<S> = { id: string; version: number; state: S; changedAt: Date };

export function documentKey(tenantId: TenantId, id: string): string {
  return `${tenantId}:${id}`;
}

export function stateOf<S>(definition: CollectionDefinition<S>, { state, stateVersion }: StoredDocument<S>): S {
  return inPresentShape(definition, state, stateVersion);
}

/** To be stored beside the state. */
export const stateVersionOf = <S>({ version }: CollectionDefinition<S>) =>
  version === undefined ? {} : { stateVersion: version };

export function entryOf<S>(definition: CollectionDefinition<S>, document: StoredDocument<S>): Entry<S> {
  const { id, version, changedAt } = document;
  return { id, version, state: stateOf(definition, document), changedAt };
}

type Content<S> = { tenantId: TenantId; id: string; state: S };

/** What follows from a state: its own version, its unique keys, its dates. */
function contentOf<S>(definition: CollectionDefinition<S>, { tenantId, id, state }: Content<S>, now: Date) {
  return {
    state,
    ...stateVersionOf(definition),
    unique: uniqueKeysOf(definition, tenantId, { id, state }),
    changedAt: now,
    ...datesOf(definition, state),
  };
}

/** A document as it is created, without events. */
export function newDocument<S>(definition: CollectionDefinition<S>, entry: Content<S>, now: Date): StoredDocument<S> {
  const { tenantId, id } = entry;
  return { _id: documentKey(tenantId, id), tenantId, id, version: 1, outbox: [], ...contentOf(definition, entry, now) };
}

/** An update to another state. What waits to be published is left alone. */
export function changeOperation<S>(definition: CollectionDefinition<S>, entry: Content<S>, now: Date): Update {
  const content = contentOf(definition, entry, now);
  const gone = (['expiresAt', 'dueAt'] as const).filter(name => content[name] === undefined);
  return {
    $set: content,
    ...(gone.length > 0 ? { $unset: Object.fromEntries(gone.map(name => [name, ''])) } : {}),
    $inc: { version: 1 },
  };
}

/** An update that leaves the state as given, whether the entry is there or not. */
export function putOperation<S>(definition: CollectionDefinition<S>, entry: Content<S>, now: Date) {
  const { tenantId, id } = entry;
  return {
    filter: { _id: documentKey(tenantId, id), tenantId },
    update: { ...changeOperation(definition, entry, now), $setOnInsert: { id, outbox: [] } },
    upsert: true,
  };
}
