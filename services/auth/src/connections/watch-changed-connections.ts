import type { IdentityEvent } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import type { Clock } from '@reeve/store';
import type { Connections } from './connection.ts';
import { type Watches, wakeWatch } from './connection-watch.ts';

type Parts = { connections: Connections; watches: Watches; clock: Clock };
type Told = Pick<IdentityEvent, 'tenantId'> & { data: { target: { id: string } } };

/** By events, so that a crash right after a change leaves nothing unwatched. */
export function watchChangedConnections({ connections, watches, clock }: Parts): Handlers {
  const asking =
    (asked: 'look' | 'refresh') =>
    async ({ tenantId, data }: Told) => {
      const { id } = data.target;
      // A topic that is read from its beginning is full of connections that are gone.
      if (await connections.in(tenantId).get(id)) await wakeWatch(watches, { tenantId, id }, { asked, clock });
    };
  return {
    'connection.created': asking('look'),
    'connection.updated': asking('look'),
    'connection.key_rotated': asking('look'),
    'connection.metadata_refreshed': asking('look'),
    // Former settings are not the last word of the provider.
    'connection.rolled_back': asking('refresh'),
  };
}
