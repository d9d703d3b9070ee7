// Whose a domain is, over all tenants: for whoever has an address and does not know the tenant yet, and for those who
// rely on a proof. A claim that is not proven is nobody's here.
import type { TenantId } from '@reeve/contracts';
import type { TenantEntry } from '@reeve/store';
import { keptBriefly } from '../kept-briefly.ts';
import type { Domain, DomainSettings, Domains } from './domain.ts';

export type Holder = DomainSettings & {
  tenantId: TenantId;
  /** Of the claim that was proven: a later claim of the same domain is another one. */
  domainId: string;
  /** `failing`: its record is gone, and it counts until the grace is over. */
  status: Domain['status'];
};

export type DomainDirectory = ReturnType<typeof createDomainDirectory>;

function holder({ tenantId, id: domainId, state }: TenantEntry<Domain>): Holder {
  const { status, policy, connectionId, breakGlass } = state;
  return { tenantId, domainId, status, policy, connectionId, breakGlass };
}

export function createDomainDirectory({ domains }: { domains: Domains }) {
  const all = domains.acrossTenants('who has a domain is asked before, or whichever, tenant is known');

  /** The same as `holderOf`, as it is now. */
  async function holderNow(name: string): Promise<Holder | null> {
    const entry = await all.getByUnique('holder', name);
    return entry && holder(entry);
  }

  const { of: holderOf, forget } = keptBriefly(holderNow, { most: 10_000 });

  return {
    holderNow,

    /**
     * Of a name in lowercase ASCII (`domainName`), exactly: neither of what is above nor of what is below it. As it was
     * a second ago at most. The connection may be a draft, or gone.
     */
    holderOf,
    forget,
  };
}
