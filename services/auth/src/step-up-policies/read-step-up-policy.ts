import { tenantRoute } from '@reeve/service-kit';
import { noStepUpPolicy, type StepUpPolicies, stepUpPolicySchema } from './step-up-policy.ts';

export const readStepUpPolicy = ({ policies }: { policies: StepUpPolicies }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/step-up-policy',
    summary: 'Read which level of sign-in the tenant demands, and where',
    action: 'policies:read',
    response: stepUpPolicySchema,
    async handle({ tenantId }) {
      const found = await policies.in(tenantId).get(tenantId);
      return found ? { body: found.state, version: found.version } : { body: noStepUpPolicy };
    },
  });
