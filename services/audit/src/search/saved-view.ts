// Filters under a name, shared by all who may read the tenant's log.
import { event, type Id } from '@reeve/contracts';
import { type Collections, collection, type Decision, type Entry } from '@reeve/store';
import { z } from 'zod';
import { filters } from '../log/find-records.ts';

export const savedView = z.strictObject({ name: z.string().trim().min(1).max(100), filters });
export const savedViewOnList = savedView.extend({ id: z.string() });

export type SavedView = z.infer<typeof savedView> & { deletedAt?: string };
export type SavedViews = Collections<SavedView>;

export const savedViewsPath = '/v1/tenants/{tenantId}/audit/saved-views' as const;
export const viewRefusals = { taken: { name: 'view_name_taken' } } as const;

export const savedViews = collection<SavedView>({
  name: 'audit_saved_views',
  unique: { name: ({ name }) => name.toLowerCase() },
  // Removed with its event in one write: it counts no more from then on, and is tidied away later.
  expiresAt: ({ deletedAt }) => (deletedAt === undefined ? null : new Date(deletedAt)),
  queries: { inOrder: { equality: [] } },
});

export const viewOf = ({ id, state: { name, filters: saved } }: Entry<SavedView>) => ({ id, name, filters: saved });

type ViewId = Id<'view'>;

const about = (id: ViewId, { name }: SavedView) => ({ id, name, because: 'requested' }) as const;

export const create = (id: ViewId, state: SavedView): NonNullable<Decision<SavedView>> => ({
  state,
  events: [event('view.created', about(id, state))],
});

export const update = (id: ViewId, state: SavedView): Decision<SavedView> => ({
  state,
  events: [event('view.updated', about(id, state))],
});

export const remove = (id: ViewId, view: SavedView, at: Date): Decision<SavedView> => ({
  state: { ...view, deletedAt: at.toISOString() },
  events: [event('view.deleted', about(id, view))],
});
