// Asks the DNS for the proofs again: daily, and each hour of one that is gone, or that nobody could look at. One
// process at a time does it for a domain.
import { type Id, newEventId, serviceCause } from '@reeve/contracts';
import { type Held, leased, worker } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { conclude, type Domain, type Domains, take } from './domain.ts';
import type { DomainDirectory } from './domain-directory.ts';
import type { ProofChecks } from './proof-checks.ts';

type Parts = {
  domains: Domains;
  directory: DomainDirectory;
  checks: ProofChecks;
  clock: Clock;
  everyMs?: number;
  onError: (error: unknown) => void;
};

/** More than the DNS is waited for. */
const leaseMs = 60_000;
const atOnce = 8;
/** A tenant whose name servers are slow is not in everybody's way. */
const ofOneTenant = 2;

export function recheckDomains({ domains, directory, checks, clock, everyMs = 10_000, onError }: Parts) {
  async function work({ tenantId, id, state: { name, token, lease } }: Held<Domain>): Promise<void> {
    const check = await checks.check({ name, token });
    const checked = { id: id as Id<'domain'>, check, at: clock.now() };
    const cause = serviceCause('auth', { correlationId: newEventId() });
    const isOurs = (was: Domain | null) => was?.lease?.holder === lease?.holder;
    const decide = (was: Domain | null) => (was && isOurs(was) ? conclude(was, checked, 'rechecked') : null);
    await domains.in(tenantId).change(id, decide, { cause });
    directory.forget(name);
  }

  const reason = 'the proofs of domains of all tenants are looked at again';
  return worker({
    ...leased({ collection: domains, reason, take, forMs: leaseMs, clock, service: 'auth' }),
    work,
    atOnce,
    ofOneTenant,
    everyMs,
    onError,
  });
}
