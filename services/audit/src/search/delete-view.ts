import { changeExisting, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { remove, type SavedViews, savedViewsPath } from './saved-view.ts';

export const deleteView = ({ views, clock }: { views: SavedViews; clock: Clock }) =>
  tenantRoute({
    method: 'delete',
    path: `${savedViewsPath}/{viewId}`,
    summary: 'Remove a saved view',
    action: 'audit:save-views',
    versioned: true,
    status: 204,
    async handle({ tenantId, params: { viewId: id }, cause, expectedVersion }) {
      const decide = (view: Parameters<typeof remove>[1]) => remove(id, view, clock.now());
      await changeExisting(views.in(tenantId), id, decide, { cause, expectedVersion });
      return { body: undefined };
    },
  });
