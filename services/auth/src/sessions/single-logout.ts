// The end of our session ends the provider's (single logout): the browser is sent there, and from there to where it
// wanted to go. That the provider's end ends ours is in end-sessions-at-logout.ts.
import { randomBytes } from 'node:crypto';
import type { Cause } from '@reeve/contracts';
import type { Logger } from '@reeve/service-kit';
import { type Clock, type PlatformRecords, platformRecords } from '@reeve/store';
import { atOf } from '../connections/connection.ts';
import type { ConnectionDirectory } from '../connections/connection-directory.ts';
import type { ConnectionKind } from '../connections/kinds/kind.ts';
import type { Kinds } from '../connections/kinds/registry.ts';
import type { SurfacePolicyDirectory } from '../surface-policies/surface-policy-directory.ts';
import type { LiveSession } from './live-sessions.ts';

type Row = { next: string };

export const signOutsAtProviders = platformRecords<Row>({
  name: 'sign_outs_at_providers',
  reason: 'a provider returns nothing but what we call the sign-out',
});

type Parts = {
  connections: ConnectionDirectory;
  kinds: Kinds;
  policies: Pick<SurfacePolicyDirectory, 'find'>;
  records: PlatformRecords<Row>;
  clock: Clock;
  log: Logger;
};

export type SingleLogout = ReturnType<typeof createSingleLogout>;

const awayMs = 900_000;

export function createSingleLogout({ connections, kinds, policies, records, clock, log }: Parts) {
  async function wayToProvider({ tenantId, state }: LiveSession, next: string, cause: Cause): Promise<string | null> {
    const { connectionId, providerSession, surface } = state;
    if (providerSession && !(await policies.find(tenantId, surface)).providerLogout) return null;
    const connection = providerSession && (await connections.findActive(tenantId, connectionId));
    if (!connection) return null;
    const kind: ConnectionKind = kinds[connection.state.kind];
    const returnId = randomBytes(24).toString('base64url');
    const url = (await kind.logout?.begin(atOf(tenantId, connection, cause), providerSession, returnId)) ?? null;
    if (url !== null) await records.put(returnId, { next }, new Date(clock.now().getTime() + awayMs));
    return url;
  }

  return {
    /**
     * Where the browser goes after this session, to come to `next` in the end; `next` where there is nothing between,
     * and where the way to the provider cannot be made: the session is over all the same.
     */
    async leaveBy(session: LiveSession, next: string, cause: Cause): Promise<string> {
      try {
        return (await wayToProvider(session, next, cause)) ?? next;
      } catch (error) {
        log.warn({ error, tenantId: session.tenantId }, 'a sign-out does not go by the identity provider');
        return next;
      }
    },

    /** Where it wanted to go, once; null for what we have not begun, or too long ago. */
    returnFrom: async (returnId: string): Promise<string | null> =>
      returnId === '' ? null : ((await records.take(returnId))?.next ?? null),
  };
}
