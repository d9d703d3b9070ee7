// A proof is looked for in the DNS as it is now: of a domain, and of whoever has it when another tenant proves it.
import { type Id, newEventId, serviceCause, type TenantId } from '@reeve/contracts';
import type { Clock } from '@reeve/store';
import { contest, type Domain, type Domains } from './domain.ts';
import type { DomainDirectory } from './domain-directory.ts';
import type { LookUpTxt } from './look-up-txt.ts';
import { type Check, evaluate, recordName } from './proof.ts';

export type ProofChecks = ReturnType<typeof createProofChecks>;

type Parts = { domains: Domains; directory: DomainDirectory; lookUpTxt: LookUpTxt; clock: Clock };

export function createProofChecks({ domains, directory, lookUpTxt, clock }: Parts) {
  async function check({ name, token }: Pick<Domain, 'name' | 'token'>): Promise<Check> {
    return evaluate(await lookUpTxt(recordName(name)), token, clock.now());
  }

  return {
    check,

    /**
     * Asks another tenant that has the domain for its proof. To be called for a tenant that has just given its own:
     * nobody else makes us look. The other tenant's record says nothing of who asked.
     */
    async challengeHolder(name: string, by: TenantId): Promise<void> {
      const reason = 'a domain that two tenants have proven is the one’s whose proof is still there';
      const holder = await domains.acrossTenants(reason).getByUnique('holder', name);
      if (!holder || holder.tenantId === by) return;
      const { tenantId, id, state } = holder;
      const checked = { id: id as Id<'domain'>, check: await check(state), at: clock.now() };
      const cause = serviceCause('auth', { correlationId: newEventId() });
      // Of the claim whose token was looked for: what has ended meanwhile is left alone.
      await domains.in(tenantId).change(id, was => was && contest(was, checked), { cause });
      directory.forget(name);
    },
  };
}
