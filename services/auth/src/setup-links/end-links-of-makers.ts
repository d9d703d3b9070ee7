// Whoever is no administrator any more has left no door behind: the links that they have made end with that.
import { serviceCause, type TenantId } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import type { Clock } from '@reeve/store';
import { type LinkId, revoke, type SetupLinks } from './setup-link.ts';

/** Only administrators make links. */
const makersRole = 'tenant_admin';

type Told = { id: string; tenantId: TenantId; correlationId: string; data: { target: { id: string } } };

export function endLinksOfMakers({ links, clock }: { links: SetupLinks; clock: Clock }): Handlers {
  async function end({ id: causationId, tenantId, correlationId, data: { target } }: Told): Promise<void> {
    const cause = serviceCause('auth', { correlationId, causationId });
    const own = links.in(tenantId);
    for await (const { id } of own.all('byMaker', { createdBy: target.id })) {
      const decide = { at: clock.now(), because: 'maker_ended' } as const;
      await own.change(id, link => link && revoke(id as LinkId, link, decide), { cause });
    }
  }
  return {
    'user.deactivated': end,
    'user.deleted': end,
    'client.deleted': end,
    async 'client.updated'(event) {
      // It may reach no connections any more.
      if (event.data.details.changed.includes('areas')) await end(event);
    },
    async 'role.unassigned'(event) {
      if (event.data.details.role === makersRole) await end(event);
    },
  };
}
