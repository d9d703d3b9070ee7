import { invalidField } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import type { Connections } from '../connections/connection.ts';
import { assertSignedIn } from './assert-signed-in.ts';
import {
  highestOf,
  noStepUpPolicy,
  type StepUpPolicies,
  type StepUpPolicy,
  set,
  stepUpPolicySchema,
} from './step-up-policy.ts';
import type { StepUpPolicyDirectory } from './step-up-policy-directory.ts';

type Parts = { policies: StepUpPolicies; directory: StepUpPolicyDirectory; connections: Connections };

export const setStepUpPolicy = ({ policies, directory, connections }: Parts) =>
  tenantRoute({
    method: 'put',
    path: '/v1/tenants/{tenantId}/step-up-policy',
    summary: 'Demand a level of sign-in, everywhere, by surface or by action; and say what providers’ words count',
    action: 'policies:write',
    versioned: true,
    body: stepUpPolicySchema,
    response: stepUpPolicySchema,
    async handle({ tenantId, caller, body, cause, expectedVersion }) {
      const current = (await policies.in(tenantId).get(tenantId))?.state ?? noStepUpPolicy;
      const { acr } = caller;
      // Else the first factor of an administrator would be enough to have no other demanded.
      if (caller.type === 'user')
        assertSignedIn({ acr, signInAgeSeconds: null }, { level: highestOf(current), maxAgeSeconds: null });
      for (const [index, { connectionId: id }] of body.trusted.entries())
        if (id !== null && !(await connections.in(tenantId).get(id)))
          throw invalidField(`trusted.${index}.connectionId`, 'is no connection of this tenant');
      const decide = (before: StepUpPolicy | null) => set(tenantId, before, body);
      const entry = await policies.in(tenantId).change(tenantId, decide, { cause, expectedVersion });
      directory.forget(tenantId);
      return entry ? { body: entry.state, version: entry.version } : { body: noStepUpPolicy };
    },
  });
