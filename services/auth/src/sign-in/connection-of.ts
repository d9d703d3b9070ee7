import { type Cause, ProblemError } from '@reeve/contracts';
import { atOf } from '../connections/connection.ts';
import type { ConnectionDirectory } from '../connections/connection-directory.ts';
import type { Kinds } from '../connections/kinds/registry.ts';
import { known } from './known.ts';
import type { SignIn } from './sign-in.ts';

export type ConnectionParts = { connections: ConnectionDirectory; kinds: Kinds };

/** The connection of a sign-in and its kind. Throws `connection_not_active` for one that is so no more. */
export async function connectionOf({ connections, kinds }: ConnectionParts, signIn: SignIn, cause: Cause) {
  const tenantId = known(signIn.tenantId);
  const id = known(signIn.connectionId);
  const connection = await connections.findActive(tenantId, id);
  if (!connection) throw new ProblemError('connection_not_active');
  const { state } = connection;
  return { connection: state, kind: kinds[state.kind], at: atOf(tenantId, connection, cause) };
}
