// Which connection an auth_key names, as a sign-in looks it up.
import type { TenantId } from '@reeve/contracts';
import { keptBriefly } from '../kept-briefly.ts';
import type { AuthKeys } from './auth-key.ts';

/** Connections by the keys that name them. */
type Named = ReadonlyMap<string, string>;

export type AuthKeyDirectory = ReturnType<typeof createAuthKeyDirectory>;

export const mostOfATenant = 200;

export function createAuthKeyDirectory({ authKeys }: { authKeys: AuthKeys }) {
  const load = async (tenantId: TenantId): Promise<Named> => {
    const { items } = await authKeys.in(tenantId).list('inOrder', {}, { limit: mostOfATenant });
    return new Map(items.map(({ id, state }) => [id, state.connectionId]));
  };
  return keptBriefly(load, { most: 2_000 });
}
