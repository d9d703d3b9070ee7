import { type Cause, ProblemError } from '@reeve/contracts';
import type { ConnectionDirectory } from '../connections/connection-directory.ts';
import type { At } from '../connections/kinds/kind.ts';
import type { Kinds } from '../connections/kinds/registry.ts';
import { known } from './known.ts';
import type { SignIn } from './sign-in.ts';

export type ConnectionParts = { connections: ConnectionDirectory; kinds: Kinds };

/** The connection of a sign-in and its kind. Throws `connection_not_active` for one that is so no more. */
export async function connectionOf({ connections, kinds }: ConnectionParts, signIn: SignIn, cause: Cause) {
  const tenantId = known(signIn.tenantId);
  const id = known(signIn.connectionId);
  const connection = await connections.choose(tenantId, id);
  if (!connection) throw new ProblemError('connection_not_active');
  const { state, version } = connection;
  const at: At = { tenantId, id, version, settings: state.settings, cause };
  return { connection: state, kind: kinds[state.kind], at };
}
