// The policies of a tenant, as whoever redeems an assertion and whoever is asked about a token looks them up.
import type { TenantId } from '@reeve/contracts';
import type { Entry } from '@reeve/store';
import { keptBriefly } from '../kept-briefly.ts';
import type { AssistantPolicies, AssistantPolicy } from './assistant-policy.ts';

export const mostOfATenant = 500;

export type AssistantPolicyDirectory = ReturnType<typeof createAssistantPolicyDirectory>;

export function createAssistantPolicyDirectory({ policies }: { policies: AssistantPolicies }) {
  const load = async (tenantId: TenantId): Promise<readonly Entry<AssistantPolicy>[]> =>
    (await policies.in(tenantId).list('inOrder', {}, { limit: mostOfATenant })).items;
  /** As they were a second ago at most. */
  return keptBriefly(load, { most: 2_000 });
}
