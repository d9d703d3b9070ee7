import type { Message, TenantId } from '@reeve/contracts';
import { type CollectionDefinition, datesOf, uniqueKeysOf } from './definition.ts';

/** How an entry lies in MongoDB. `outboxAt` is when the sweep may publish what is left: until then its writer is at it. */
export type StoredDocument<S> = {
  _id: string;
  tenantId: TenantId;
  id: string;
  version: number;
  state: S;
  unique: Record<string, string>;
  outbox: Message[];
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

export function entryOf<S>(document: StoredDocument<S>): Entry<S> {
  const { id, version, state, changedAt } = document;
  return { id, version, state, changedAt };
}

/** A document as it is created, without events. */
export function newDocument<S>(
  definition: CollectionDefinition<S>,
  { tenantId, id, state }: { tenantId: TenantId; id: string; state: S },
  now: Date,
): StoredDocument<S> {
  return {
    _id: documentKey(tenantId, id),
    tenantId,
    id,
    version: 1,
    state,
    unique: uniqueKeysOf(definition, tenantId, { id, state }),
    outbox: [],
    changedAt: now,
    ...datesOf(definition, state),
  };
}

/** An update that leaves the state as given, whether the entry is there or not, and its events alone. */
export function putOperation<S>(
  definition: CollectionDefinition<S>,
  { tenantId, id, state }: { tenantId: TenantId; id: string; state: S },
  now: Date,
) {
  const unique = uniqueKeysOf(definition, tenantId, { id, state });
  return {
    filter: { _id: documentKey(tenantId, id), tenantId },
    update: {
      $set: { state, unique, changedAt: now, ...datesOf(definition, state) },
      $setOnInsert: { id, outbox: [] },
      $inc: { version: 1 },
    },
    upsert: true,
  };
}
