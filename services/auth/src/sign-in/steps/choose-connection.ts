// By which identity provider: the connection that the application asks for, or the first that is active.
import type { Id } from '@reeve/contracts';
import type { ConnectionDirectory } from '../../connections/connection-directory.ts';
import { known } from '../known.ts';
import type { Step } from '../step.ts';
import { noSuchTenant } from './choose-tenant.ts';

export const chooseConnection =
  ({ connections }: { connections: ConnectionDirectory }): Step =>
  async ({ uid, signIn }) => {
    const connection = await connections.choose(known(signIn.tenantId), signIn.connectionAsked);
    if (!connection) return { ask: noSuchTenant(uid) };
    const connectionId = connection.id as Id<'connection'>;
    return { next: 'go-to-provider', learnt: { connectionId, method: connection.state.kind } };
  };
