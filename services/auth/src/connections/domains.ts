// Whoever speaks for a domain lets its people into the accounts that have their addresses. So it is said by the
// platform, until a tenant can prove by DNS that a domain is its own, and of one connection in a tenant.
import { ProblemError, type TenantId } from '@reeve/contracts';
import type { Caller } from '@reeve/service-kit';
import type { Connections } from './connection.ts';

type Asked = {
  caller: Caller;
  tenantId: TenantId;
  /** Null for a connection that is being made. */
  connectionId: string | null;
  domains: readonly string[];
  before: readonly string[];
};

/** Throws `domain_unverified`, or `domain_taken`. */
export async function assertMaySpeakFor(connections: Connections, asked: Asked): Promise<void> {
  const { caller, tenantId, connectionId, domains, before } = asked;
  const added = domains.filter(domain => !before.includes(domain));
  if (added.length === 0) return;
  if (!caller.platform) throw new ProblemError('domain_unverified', `nobody has verified ${added.join(', ')}`);
  for await (const { id, state } of connections.in(tenantId).all('inOrder', {})) {
    const taken = id === connectionId ? undefined : added.find(domain => state.domains.includes(domain));
    if (taken !== undefined) throw new ProblemError('domain_taken', `${state.name} speaks for ${taken}`);
  }
}
