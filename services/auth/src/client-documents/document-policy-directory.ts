// Whose applications are taken that nobody registered, as requests look it up.
import type { TenantId } from '@reeve/contracts';
import { keptBriefly } from '../kept-briefly.ts';
import { type DocumentPolicies, type DocumentPolicy, noDocuments } from './document-policy.ts';

export type DocumentPolicyDirectory = ReturnType<typeof createDocumentPolicyDirectory>;

/** By who says it: a tenant, or the platform. */
export function createDocumentPolicyDirectory({ policies }: { policies: DocumentPolicies }) {
  const load = async (owner: TenantId): Promise<DocumentPolicy> =>
    (await policies.in(owner).get(owner))?.state ?? noDocuments;
  return keptBriefly(load, { most: 2_000 });
}
