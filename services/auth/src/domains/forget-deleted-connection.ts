import { type Id, serviceCause } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import { type Domains, loseConnection } from './domain.ts';
import type { DomainDirectory } from './domain-directory.ts';

type Parts = { domains: Domains; directory: DomainDirectory };

/** The domain stays the tenant's: it has no connection then. */
export const forgetDeletedConnection = ({ domains, directory }: Parts): Handlers => ({
  async 'connection.deleted'({ id: causationId, tenantId, correlationId, data }) {
    const cause = serviceCause('auth', { correlationId, causationId });
    const connectionId = data.target.id;
    for await (const { id, state } of domains.in(tenantId).all('byConnection', { connectionId })) {
      const decide = (was: typeof state | null) => was && loseConnection(id as Id<'domain'>, was, connectionId);
      await domains.in(tenantId).change(id, decide, { cause });
      directory.forget(state.name);
    }
  },
});
