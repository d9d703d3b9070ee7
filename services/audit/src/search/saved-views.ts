// Filters under a name, shared by all who may read the tenant's log.
import type { Collections, Store } from '@reeve/store';
import { z } from 'zod';
import { filters } from './plan-search.ts';

export const savedView = z.object({ name: z.string(), filters });

export type SavedView = z.infer<typeof savedView> & { deletedAt?: string };
export type SavedViews = Collections<SavedView>;

export function defineSavedViews(store: Store): SavedViews {
  return store.collections<SavedView>({
    name: 'audit_saved_views',
    unique: { name: ({ name, deletedAt }) => (deletedAt === undefined ? name.toLowerCase() : null) },
    // Removed with its event in one write: it counts no more from then on, and is tidied away later.
    expiresAt: ({ deletedAt }) => (deletedAt === undefined ? null : new Date(deletedAt)),
    queries: { inOrder: { equality: [] } },
  });
}
