import { createOnce, tenantRoute } from '@reeve/service-kit';
import {
  create,
  type SavedViews,
  savedView,
  savedViewOnList,
  savedViewsPath,
  viewOf,
  viewRefusals,
} from './saved-view.ts';

export const createView = ({ views }: { views: SavedViews }) =>
  tenantRoute({
    method: 'post',
    path: savedViewsPath,
    summary: 'Save filters under a name; …/audit/events?view= searches by them',
    action: 'audit:save-views',
    body: savedView,
    status: 201,
    response: savedViewOnList,
    async handle({ tenantId, body, cause, freshId }) {
      const id = freshId('view');
      const { entry } = await createOnce(views.in(tenantId), id, create(id, body), { cause, ...viewRefusals });
      return { body: viewOf(entry), version: entry.version };
    },
  });
