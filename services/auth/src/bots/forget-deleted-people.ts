// Nothing of whoever is gone is kept at bots. Their sessions there end as all of theirs do.
import { serviceCause } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import type { Clock } from '@reeve/store';
import { type BotUsers, forget } from './bot-user.ts';

export const forgetDeletedPeopleAtBots = ({ users, clock }: { users: BotUsers; clock: Clock }): Handlers => ({
  async 'user.deleted'({ id: causationId, tenantId, correlationId, data: { target } }) {
    const cause = serviceCause('auth', { correlationId, causationId });
    const own = users.in(tenantId);
    for await (const { id } of own.all('byUser', { userId: target.id }))
      await own.change(id, user => user && forget(user, clock.now()), { cause });
  },
});
