import { type Id, serviceCause } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import { type Connections, loseDomain } from './connection.ts';
import type { ChangeConnection } from './connection-changes.ts';

type Parts = { connections: Connections; changeConnection: ChangeConnection };

/**
 * What rests on the proof counts no more from the moment of the release (`speaksFor`). This makes connections say so,
 * and takes away what the platform had said before the tenant proved and lost the domain.
 */
export const giveUpReleasedDomain = ({ connections, changeConnection }: Parts): Handlers => ({
  async 'domain.released'({ id: causationId, tenantId, correlationId, data }) {
    const { domain, status } = data.details;
    if (domain === undefined || status === 'pending') return;
    const cause = serviceCause('auth', { correlationId, causationId });
    const lost = { domain, domainId: data.target.id };
    for await (const { id } of connections.in(tenantId).all('inOrder', {})) {
      const about = { tenantId, id };
      await changeConnection(about, was => loseDomain(id as Id<'connection'>, was, lost), {
        cause,
        because: 'updated',
      });
    }
  },
});
