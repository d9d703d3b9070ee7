import { ProblemError } from '@reeve/contracts';
import { changeExisting, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { askForCheck, conclude, type Domain, type Domains, domainsPath, domainView, refuse, viewOf } from './domain.ts';
import type { DomainDirectory } from './domain-directory.ts';
import type { ProofChecks } from './proof-checks.ts';

type Parts = {
  domains: Domains;
  directory: DomainDirectory;
  checks: ProofChecks;
  clock: Clock;
  isLimited: boolean;
};

export const verifyDomain = ({ domains, directory, checks, clock, isLimited }: Parts) =>
  tenantRoute({
    method: 'post',
    path: `${domainsPath}/{domainId}:verify`,
    summary: 'Look for the record in the DNS now; `lastCheck` says what was expected, what was found, and where',
    action: 'domains:write',
    versioned: true,
    atMost: 'one check of a domain in five seconds',
    response: domainView,
    async handle({ tenantId, params: { domainId: id }, cause, expectedVersion }) {
      const own = domains.in(tenantId);
      const asking = (domain: Domain) => askForCheck(domain, clock.now(), isLimited);
      const { state } = await changeExisting(own, id, asking, { cause, expectedVersion });
      const check = await checks.check(state);
      if (check.outcome === 'present' && state.status === 'pending') await checks.challengeHolder(state.name, tenantId);
      const checked = { id, check, at: clock.now() };
      try {
        const concluding = (domain: Domain) => conclude(domain, checked, 'requested');
        const entry = await changeExisting(own, id, concluding, { cause, taken: { holder: 'domain_taken' } });
        // It was looked for in vain for longer than the grace.
        if (entry.state.releasedAt !== undefined) throw new ProblemError('not_found', 'it was released just now');
        return { body: viewOf(entry), version: entry.version };
      } catch (error) {
        if (!(error instanceof ProblemError && error.code === 'domain_taken')) throw error;
        await changeExisting(own, id, domain => refuse(domain, checked), { cause });
        const detail = 'another tenant has it, whose record is there or has been gone for less than 72 hours';
        throw new ProblemError('domain_taken', detail, { cause: error });
      } finally {
        directory.forget(state.name);
      }
    },
  });
