// What connections serve to their identity providers, as their kinds say.
import { serviceCause } from '@reeve/contracts';
import type { Route } from '@reeve/service-kit';
import { atOf } from './connection.ts';
import type { ConnectionDirectory } from './connection-directory.ts';
import type { ConnectionKind, FindConnection } from './kinds/kind.ts';
import type { Kinds } from './kinds/registry.ts';

type Parts = { kinds: Kinds; directory: ConnectionDirectory };

export function connectionDocuments({ kinds, directory }: Parts): Route[] {
  return Object.entries(kinds).flatMap(([name, kind]: [string, ConnectionKind]) => {
    const find: FindConnection = async id => {
      const found = await directory.findAnywhere(id);
      if (found?.state.kind !== name) return null;
      return atOf(found.tenantId, found, serviceCause('auth', { correlationId: id }));
    };
    return kind.routes?.(find) ?? [];
  });
}
