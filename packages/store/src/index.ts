// The public face of @reeve/store.
export type { TenantEntry } from './across-tenants.ts';
export type { Clock } from './clock.ts';
export { type CollectionDefinition, collection, type QueryShape } from './definition.ts';
export type { Entry } from './document.ts';
export { DuplicateKeyError, isStoreUnavailable, VersionConflictError } from './errors.ts';
export type { InspectedStore } from './inspect.ts';
export type { JournalRow } from './journal.ts';
export { type JournalDefinition, journal, type Recover } from './journal-definition.ts';
export {
  type PlatformDefinition,
  type PlatformRecords,
  platformRecords,
  type RowDecision,
  type Versioned,
} from './platform-records.ts';
export type { FindPublished, Publish, PublishedQuery, Publishing } from './publish.ts';
export { createRounds } from './rounds.ts';
export type { Draft, RawDraft } from './stamp.ts';
export { type Collections, type Contents, type Journal, openStore, type Store, type StoreOptions } from './store.ts';
export {
  type ChangeOptions,
  changedIn,
  type Decision,
  type Equality,
  type ListOptions,
  type Narrowing,
  type Page,
  type TenantCollection,
} from './tenant-collection.ts';
