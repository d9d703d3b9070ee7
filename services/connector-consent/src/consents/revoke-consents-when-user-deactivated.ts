import { serviceCause } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import type { EndGrants } from './end-grants.ts';

/** Delivered twice it finds the consents revoked and changes nothing. */
export const revokeConsentsWhenUserDeactivated = ({ endGrants }: { endGrants: EndGrants }): Handlers => ({
  async 'user.deactivated'({ id: causationId, tenantId, correlationId, data }) {
    const cause = serviceCause('connector-consent', { correlationId, causationId });
    await endGrants(tenantId, { userId: data.target.id ?? '' }, 'user_deactivated', cause);
  },
});
