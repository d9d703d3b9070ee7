// The public face of @reeve/store.
export type { TenantEntry } from './across-tenants.ts';
export type { Clock } from './clock.ts';
export type { CollectionDefinition, QueryShape } from './definition.ts';
export type { Entry } from './document.ts';
export { DuplicateKeyError, isStoreUnavailable, VersionConflictError } from './errors.ts';
export type { JournalDefinition, JournalRow } from './journal.ts';
export type { PlatformRecords } from './platform-records.ts';
export type { FindPublished, Publish, PublishedQuery } from './publish.ts';
export type { Draft, RawDraft } from './stamp.ts';
export { type Collections, type Journal, openStore, type Store, type StoreOptions } from './store.ts';
export type { Decision, Equality, ListOptions, Page, TenantCollection } from './tenant-collection.ts';
