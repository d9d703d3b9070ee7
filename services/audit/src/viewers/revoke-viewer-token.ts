import { changeExisting, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { revoke, type Viewers, viewersPath, viewerView, viewOf } from './viewer-token.ts';

export const revokeViewerToken = ({ viewers, clock }: { viewers: Viewers; clock: Clock }) =>
  tenantRoute({
    method: 'post',
    path: `${viewersPath}/{viewerId}:revoke`,
    summary: 'Revoke a viewer token; it is refused from then on',
    action: 'audit:configure',
    versioned: true,
    response: viewerView,
    async handle({ tenantId, params: { viewerId: id }, cause, expectedVersion }) {
      const decide = (viewer: Parameters<typeof revoke>[1]) => revoke(id, viewer, clock.now());
      const entry = await changeExisting(viewers.in(tenantId), id, decide, { cause, expectedVersion });
      return { body: viewOf(entry), version: entry.version };
    },
  });
