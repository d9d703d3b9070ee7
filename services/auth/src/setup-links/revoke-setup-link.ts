import { changeExisting, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { linkView, revoke, type SetupLink, type SetupLinks, viewOf } from './setup-link.ts';

export const revokeSetupLink = ({ links, clock }: { links: SetupLinks; clock: Clock }) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/setup-links/{setupLinkId}:revoke',
    summary: 'Revoke a set-up link: nothing is done by it from then on; what was done stays',
    action: 'connections:write',
    versioned: true,
    response: linkView,
    async handle({ tenantId, params: { setupLinkId: id }, cause, expectedVersion }) {
      const decide = (link: SetupLink) => revoke(id, link, { at: clock.now(), because: 'requested' });
      const entry = await changeExisting(links.in(tenantId), id, decide, { cause, expectedVersion });
      return { body: viewOf(entry), version: entry.version };
    },
  });
