import { serviceCause } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import type { LapseLevels } from './lapse-levels.ts';
import type { PersonalFactors } from './personal-factors.ts';

type Parts = { personal: PersonalFactors; lapseLevels: LapseLevels };

/**
 * Whoever is gone leaves no factor, and no secret of one. A second time finds nothing. A factor that is gone takes its
 * secret with it, and its level from sessions, here as well: whoever removed it may have ended before that.
 */
export const forgetDeletedPeople = ({ personal, lapseLevels }: Parts): Handlers => ({
  async 'mfa_factor.removed'({ id: causationId, tenantId, correlationId, data: { target, details } }) {
    const { userId } = details;
    if (userId === undefined) return;
    const cause = serviceCause('auth', { correlationId, causationId });
    await lapseLevels({ tenantId, userId, cause }, [target]);
    if (details.kind === 'totp') await personal.destroySecret({ tenantId, cause }, target);
  },

  async 'user.deleted'({ id: causationId, tenantId, correlationId, data: { target } }) {
    const cause = serviceCause('auth', { correlationId, causationId });
    await personal.remove({ tenantId, userId: target.id, cause }, 'all', 'user_deleted');
  },
});
