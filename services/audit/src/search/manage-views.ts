import { because, type EventDraft, type Id, ProblemError } from '@reeve/contracts';
import { pageOf, pageQuery, tenantRoute, whenTaken } from '@reeve/service-kit';
import type { Clock, Entry } from '@reeve/store';
import { z } from 'zod';
import { filters as filterSchema } from './plan-search.ts';
import { type SavedView, type SavedViews, savedView } from './saved-views.ts';

type Parts = { views: SavedViews };

const viewOnList = savedView.extend({ id: z.string() });
const body = z.strictObject({ name: z.string().trim().min(1).max(100), filters: filterSchema });

const path = '/v1/tenants/{tenantId}/audit/saved-views' as const;

const shown = ({ id, state: { name, filters } }: Entry<SavedView>) => ({ id, name, filters });

function event(type: 'view.created' | 'view.updated' | 'view.deleted', id: string, { name }: SavedView): EventDraft {
  return {
    type,
    target: { type: 'saved_view', id, name },
    outcome: 'success',
    reason: because('requested'),
    details: {},
  };
}

export const listViews = ({ views }: Parts) =>
  tenantRoute({
    method: 'get',
    path,
    summary: 'List the saved views of the audit log',
    action: 'audit:read',
    query: pageQuery,
    response: pageOf(viewOnList),
    async handle({ tenantId, query }) {
      const { items, nextCursor } = await views.in(tenantId).list('inOrder', {}, query);
      return { body: { items: items.map(shown), nextCursor } };
    },
  });

export const createView = ({ views }: Parts) =>
  tenantRoute({
    method: 'post',
    path,
    summary: 'Save filters under a name; …/audit/events?view= searches by them',
    action: 'audit:save-views',
    body,
    status: 201,
    response: viewOnList,
    async handle({ tenantId, body: state, cause, freshId }) {
      const id: Id<'view'> = freshId('view');
      const decision = { state, events: [event('view.created', id, state)] };
      const created = await views.in(tenantId).create(id, decision, cause).catch(whenTaken('view_name_taken'));
      if (!created) throw new ProblemError('conflict');
      return { body: shown(created), version: created.version };
    },
  });

export const updateView = ({ views }: Parts) =>
  tenantRoute({
    method: 'put',
    path: `${path}/{viewId}`,
    summary: 'Change a saved view',
    action: 'audit:save-views',
    body,
    response: viewOnList,
    async handle({ tenantId, params, body: state, cause, expectedVersion }) {
      const id = String(params['viewId']);
      const decide = (current: SavedView | null) => current && { state, events: [event('view.updated', id, state)] };
      const saved = views.in(tenantId).change(id, decide, { cause, expectedVersion });
      const entry = await saved.catch(whenTaken('view_name_taken'));
      if (!entry) throw new ProblemError('view_unknown');
      return { body: shown(entry), version: entry.version };
    },
  });

export const deleteView = ({ views, clock }: Parts & { clock: Clock }) =>
  tenantRoute({
    method: 'delete',
    path: `${path}/{viewId}`,
    summary: 'Remove a saved view',
    action: 'audit:save-views',
    status: 204,
    response: z.null(),
    async handle({ tenantId, params, cause, expectedVersion }) {
      const id = String(params['viewId']);
      const deletedAt = clock.now().toISOString();
      const decide = (view: SavedView | null) =>
        view && { state: { ...view, deletedAt }, events: [event('view.deleted', id, view)] };
      if (!(await views.in(tenantId).change(id, decide, { cause, expectedVersion })))
        throw new ProblemError('view_unknown');
      return { body: null };
    },
  });
