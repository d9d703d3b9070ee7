import { changeExisting, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { type Domain, type Domains, domainsPath, release } from './domain.ts';
import type { DomainDirectory } from './domain-directory.ts';

type Parts = { domains: Domains; directory: DomainDirectory; clock: Clock };

export const releaseDomain = ({ domains, directory, clock }: Parts) =>
  tenantRoute({
    method: 'delete',
    path: `${domainsPath}/{domainId}`,
    summary: 'Release a domain: no connection speaks for it any more, and others may verify it',
    action: 'domains:write',
    versioned: true,
    status: 204,
    async handle({ tenantId, params: { domainId: id }, cause, expectedVersion }) {
      const decide = (domain: Domain) => release(id, domain, { at: clock.now(), because: 'requested' });
      const { state } = await changeExisting(domains.in(tenantId), id, decide, { cause, expectedVersion });
      directory.forget(state.name);
      return { body: undefined };
    },
  });
