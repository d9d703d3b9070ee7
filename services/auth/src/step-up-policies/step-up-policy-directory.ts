// The step-up policy of a tenant, as sign-ins and requests look it up.
import type { TenantId } from '@reeve/contracts';
import { keptBriefly } from '../kept-briefly.ts';
import { noStepUpPolicy, type StepUpPolicies, type StepUpPolicy } from './step-up-policy.ts';

export type StepUpPolicyDirectory = ReturnType<typeof createStepUpPolicyDirectory>;

export function createStepUpPolicyDirectory({ policies }: { policies: StepUpPolicies }) {
  const load = async (tenantId: TenantId): Promise<StepUpPolicy> =>
    (await policies.in(tenantId).get(tenantId))?.state ?? noStepUpPolicy;
  return keptBriefly(load, { most: 2_000 });
}
