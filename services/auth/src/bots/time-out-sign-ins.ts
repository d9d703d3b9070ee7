// Ways to the page that nobody has gone to the end are over some time, which is on the record.
import { newEventId, serviceCause } from '@reeve/contracts';
import { worker } from '@reeve/service-kit';
import type { Clock, TenantEntry } from '@reeve/store';
import { type BotUser, type BotUsers, timeOut } from './bot-user.ts';

type Parts = { users: BotUsers; clock: Clock; onError: (error: unknown) => void };

const reason = 'sign-ins at bots of all tenants whose time is over';

export const timeOutSignIns = ({ users, clock, onError }: Parts) =>
  worker<TenantEntry<BotUser>, TenantEntry<BotUser>>({
    due: (limit, except) => users.acrossTenants(reason).due(limit, except),
    // Two instances that look at one at once write it once.
    take: async one => one,
    async work({ tenantId, id }) {
      const cause = serviceCause('auth', { correlationId: newEventId() });
      await users.in(tenantId).change(id, user => timeOut(user, clock.now()), { cause });
    },
    atOnce: 8,
    ofOneTenant: 4,
    everyMs: 5_000,
    onError,
  });
