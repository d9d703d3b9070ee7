// That people of an enforced domain sign in by its connection holds wherever they come in and however long ago that
// was: it is asked where a sign-in ends, and of every session that something is issued in.
import { ProblemError, type TenantId } from '@reeve/contracts';
import type { DomainDirectory } from '../domains/domain-directory.ts';
import { domainOf } from '../domains/domain-name.ts';

type By = { tenantId: TenantId; connectionId: string; email: string | null };

export type EnforceDomain = ReturnType<typeof createEnforceDomain>;

export function createEnforceDomain({ domains }: { domains: DomainDirectory }) {
  /** Whether somebody with that address comes in where it is enforced, elsewhere, or elsewhere by exception. */
  async function ask({ tenantId, connectionId, email }: By): Promise<'here' | 'elsewhere' | 'break_glass'> {
    const domain = domainOf(email);
    const holder = domain === null ? null : await domains.holderOf(domain);
    const isEnforced = holder?.tenantId === tenantId && holder.policy === 'enforced';
    if (!isEnforced || holder.connectionId === connectionId) return 'here';
    return holder.breakGlass.includes(email?.toLowerCase() ?? '') ? 'break_glass' : 'elsewhere';
  }

  return {
    isElsewhere: async (by: By): Promise<boolean> => (await ask(by)) === 'elsewhere',

    /** Returns whether it is by exception. Throws `domain_enforced`. */
    async assertHere(by: By): Promise<{ isBreakGlass: boolean }> {
      const answer = await ask(by);
      if (answer === 'elsewhere') throw new ProblemError('domain_enforced');
      return { isBreakGlass: answer === 'break_glass' };
    },
  };
}
