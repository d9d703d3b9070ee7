// From which hosts applications are taken that nobody registered. The platform says so for all, and a tenant for its
// own people, among those of the platform. Where nothing is said none is taken. Under the id of who says it. Pure.
import { event } from '@reeve/contracts';
import { type Collections, changedIn, collection, type Decision } from '@reeve/store';
import { z } from 'zod';
import { hostPattern, isAmong } from './document-id.ts';

export const documentPolicySchema = z.strictObject({
  hosts: z
    .array(
      z.string().max(253).regex(hostPattern, 'must be `*`, a host as app.example, or all below one as *.app.example'),
    )
    .max(200)
    .describe('Of whose documents applications are taken: `*` for any; none where it is empty'),
});
export type DocumentPolicy = z.infer<typeof documentPolicySchema>;
export type DocumentPolicies = Collections<DocumentPolicy>;

export const noDocuments: DocumentPolicy = { hosts: [] };

export const documentPolicies = collection<DocumentPolicy>({ name: 'client_document_policies' });

export function set(before: DocumentPolicy | null, state: DocumentPolicy): Decision<DocumentPolicy> {
  const changed = changedIn(before ?? noDocuments, state);
  if (changed.length === 0) return null;
  const details = { kind: 'client-documents', changed };
  return { state, events: [event('policy.updated', { id: 'client-documents', because: 'requested', details })] };
}

/** The first that the platform does not take; undefined where it takes all of them. */
export const beyond = ({ hosts }: DocumentPolicy, platform: DocumentPolicy): string | undefined =>
  hosts.find(host => !isAmong(host, platform.hosts));
