import { serviceCause } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import type { PersonalFactors } from './personal-factors.ts';

/** Whoever is gone leaves no factor, and no secret of one. A second time finds nothing. */
export const forgetDeletedPeople = ({ personal }: { personal: PersonalFactors }): Handlers => ({
  async 'user.deleted'({ id: causationId, tenantId, correlationId, data: { target } }) {
    const cause = serviceCause('auth', { correlationId, causationId });
    await personal.remove({ tenantId, userId: target.id, cause }, 'all', 'user_deleted');
  },
});
