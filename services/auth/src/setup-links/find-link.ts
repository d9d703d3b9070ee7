import { isId, ProblemError, type TenantId } from '@reeve/contracts';
import type { TenantDirectory } from '@reeve/service-kit';
import { hashOf } from '../sign-in/ticket.ts';
import type { OpenLink, SetupLinks } from './setup-link.ts';

export type FindLink = (token: string) => Promise<OpenLink>;

/** The link of a token, as it is now. Throws `setup_link_over` for whatever counts for nothing, whyever. */
export function createFindLink({ links, tenants }: { links: SetupLinks; tenants: TenantDirectory }): FindLink {
  const everywhere = links.acrossTenants('a set-up link names its tenant by nothing but its secret');
  const isOpen = async (tenantId: TenantId) => (await tenants.findNow(tenantId))?.status === 'active';
  return async token => {
    const found = await everywhere.getByUnique('token', hashOf(token));
    if (!found || !isId('setupLink', found.id) || found.state.revokedAt !== null || !(await isOpen(found.tenantId)))
      throw new ProblemError('setup_link_over');
    return { ...found, id: found.id, token };
  };
}
