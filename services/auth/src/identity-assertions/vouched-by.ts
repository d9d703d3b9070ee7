// The policy that a session rests on in which an assistant acts for a person: what is issued in it ends with that.
import type { ConnectionDirectory } from '../connections/connection-directory.ts';
import type { LiveSession } from '../sessions/live-sessions.ts';
import type { AssistantPolicy } from './assistant-policy.ts';
import type { AssistantPolicyDirectory } from './assistant-policy-directory.ts';
import { policyIn } from './delegation.ts';

type Parts = {
  directory: Pick<AssistantPolicyDirectory, 'of'>;
  connections: Pick<ConnectionDirectory, 'findActive'>;
};

export type VouchedBy = ReturnType<typeof createVouchedBy>;

export const createVouchedBy =
  ({ directory, connections }: Parts) =>
  /** Null where it is gone, or the connection is; undefined for a session that rests on none. */
  async ({ tenantId, state: { delegate } }: LiveSession): Promise<AssistantPolicy | null | undefined> => {
    if (delegate?.by !== 'id_jag') return undefined;
    const policy = (await directory.of(tenantId)).find(({ id }) => id === policyIn(delegate.key))?.state;
    return policy && (await connections.findActive(tenantId, policy.connectionId)) ? policy : null;
  };
