// Which assistant may act for whom, at which API and in what, by the word of which connection's identity provider: a
// tenant says so, since nobody asks the person. Nothing is allowed that is not said. A change of it ends the tokens
// that rest on it: each names the policy as it was, which those who verify tokens by themselves are told is void. Pure.
import { event, type Id, idSchema, mattersUntil, revocationDraft } from '@reeve/contracts';
import { type Collections, changedIn, collection, type Decision, type Entry } from '@reeve/store';
import { z } from 'zod';
import { isDocumentId } from '../client-documents/document-id.ts';
import { scopeText } from '../resource-servers/exchange-policy.ts';

export type AssistantPolicyId = Id<'assistantPolicy'>;

const scopes = z
  .array(scopeText)
  .min(1)
  .max(200)
  .refine(list => new Set(list).size === list.length, 'has one twice');

export const assistantPolicySettings = z.strictObject({
  connectionId: idSchema('connection').describe('Whose identity provider vouches'),
  clientId: z
    .string()
    .max(300)
    .refine(
      id => isDocumentId(id) || idSchema('client').safeParse(id).success,
      'must be the id of an application, or the URL of its document',
    )
    .describe('The assistant: an application that proves itself by a secret or a key'),
  resource: z.url().max(500).describe('The API, as it is registered'),
  scopes: scopes.describe('What it gets at most'),
  requireDpop: z.boolean().describe('Its tokens are bound to a key of its own (RFC 9449)'),
  acrValues: z
    .array(z.string().min(1).max(200))
    .max(20)
    .describe('Of which the identity provider has to say one; any where it is empty'),
  maxAgeSeconds: z.int().min(60).max(2_592_000).nullable().describe('How long ago the sign-in there may be; null: any'),
});
type Settings = z.infer<typeof assistantPolicySettings>;

/** What it is about stays: for something else there is another one. */
export const assistantPolicyChange = assistantPolicySettings
  .pick({ scopes: true, requireDpop: true, acrValues: true, maxAgeSeconds: true })
  .partial();
type Change = Partial<Pick<Settings, 'scopes' | 'requireDpop' | 'acrValues' | 'maxAgeSeconds'>>;

export type AssistantPolicy = Settings & {
  /** By which tokens name it as it is now (`grant_id`). */
  grantName: Id<'grant'>;
  createdAt: string;
  deletedAt?: Date;
};
export type AssistantPolicies = Collections<AssistantPolicy>;

export const assistantPolicies = collection<AssistantPolicy>({
  name: 'assistant_policies',
  unique: {
    subject: ({ connectionId, clientId, resource, deletedAt }) =>
      deletedAt ? null : JSON.stringify([connectionId, clientId, resource]),
  },
  queries: { inOrder: { equality: [] }, byConnection: { equality: ['connectionId'] } },
  expiresAt: ({ deletedAt }) => deletedAt ?? null,
});

export const assistantPolicyView = z.object({
  id: z.string(),
  ...assistantPolicySettings.shape,
  connectionId: z.string(),
  createdAt: z.string(),
});

export function viewOf({ id, state }: Entry<AssistantPolicy>): z.infer<typeof assistantPolicyView> {
  const { grantName: _, deletedAt: __, ...rest } = state;
  return { id, ...rest };
}

const updated = (id: string, changed: readonly string[], because: 'requested' | 'reset') =>
  event('policy.updated', {
    id: `assistants/${id}`,
    because,
    details: { kind: 'assistants', name: id, changed: [...changed] },
  });

/** For those who look at nothing but a JWT. */
const voided = ({ grantName: id }: AssistantPolicy, at: Date) =>
  revocationDraft({ kind: 'grant', id, until: mattersUntil(at) });

export const create = (id: AssistantPolicyId, state: AssistantPolicy): NonNullable<Decision<AssistantPolicy>> => ({
  state,
  events: [updated(id, Object.keys(assistantPolicySettings.shape), 'requested')],
});

type Now = { grantName: Id<'grant'>; at: Date };

export function update(
  id: string,
  policy: AssistantPolicy,
  { change, grantName, at }: Now & { change: Change },
): Decision<AssistantPolicy> {
  const changed = changedIn(policy, change);
  if (changed.length === 0) return null;
  const state = { ...policy, ...change, grantName };
  return { state, events: [updated(id, changed, 'requested'), voided(policy, at)] };
}

/** What rests on it is over, and it goes on. */
export const endTokens = (policy: AssistantPolicy, { grantName, at }: Now): Decision<AssistantPolicy> => ({
  state: { ...policy, grantName },
  events: [voided(policy, at)],
});

export const remove = (id: string, policy: AssistantPolicy, at: Date): Decision<AssistantPolicy> => ({
  state: { ...policy, deletedAt: at },
  events: [updated(id, Object.keys(assistantPolicySettings.shape), 'reset'), voided(policy, at)],
});
