import { changeExisting, tenantRoute } from '@reeve/service-kit';
import {
  type SavedViews,
  savedView,
  savedViewOnList,
  savedViewsPath,
  update,
  viewOf,
  viewRefusals,
} from './saved-view.ts';

export const updateView = ({ views }: { views: SavedViews }) =>
  tenantRoute({
    method: 'put',
    path: `${savedViewsPath}/{viewId}`,
    summary: 'Change a saved view',
    action: 'audit:save-views',
    versioned: true,
    body: savedView,
    response: savedViewOnList,
    async handle({ tenantId, params: { viewId: id }, body, cause, expectedVersion }) {
      const how = { cause, expectedVersion, ...viewRefusals };
      const entry = await changeExisting(views.in(tenantId), id, () => update(id, body), how);
      return { body: viewOf(entry), version: entry.version };
    },
  });
