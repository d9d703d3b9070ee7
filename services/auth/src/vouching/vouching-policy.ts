// For which application Reeve vouches for people of a tenant towards the authorization server of somebody else (ID-JAG,
// draft-ietf-oauth-identity-assertion-authz-grant §4.3), and in what: a tenant says so, since nobody asks the person.
// Nothing is allowed that is not said. The other way round, who may come to our APIs by the word of others, is
// identity-assertions/assistant-policy.ts. Pure.
import { event, type Id, idSchema } from '@reeve/contracts';
import { type Collections, changedIn, collection, type Decision, type Entry } from '@reeve/store';
import { z } from 'zod';
import { assertPlainUrl } from '../plain-url.ts';
import { scopeText } from '../resource-servers/exchange-policy.ts';
import { isReserved } from '../resource-servers/resource-server.ts';

export type VouchingPolicyId = Id<'vouchingPolicy'>;

const hasNoneTwice = (list: readonly string[]) => new Set(list).size === list.length;

/** RFC 8414 §2. */
const issuer = z
  .url({ protocol: /^https?$/ })
  .max(500)
  .superRefine(assertPlainUrl)
  .refine(text => !text.includes('?'), 'must have no query');

/** RFC 8707 §2. It is compared letter for letter, as whoever redeems it does. */
const resource = z
  .string()
  .max(500)
  .refine(
    text => URL.canParse(text) && !/[#\s\\]/.test(text),
    'must be an absolute URI without a fragment, a space or a backslash',
  );

export const vouchingPolicySettings = z.strictObject({
  clientId: idSchema('client').describe('The application that asks, which proves itself by a secret or a key'),
  audience: issuer.describe('The authorization server of somebody else, by its issuer'),
  audienceClientId: z.string().min(1).max(500).describe('As what it knows the application (`client_id` there)'),
  resources: z
    .array(resource)
    .max(20)
    .refine(hasNoneTwice, 'has one twice')
    .describe('The APIs there; none where that server has nothing to choose from'),
  scopes: z
    .array(scopeText.refine(scope => scope === 'email' || !isReserved(scope), 'is a name that Reeve has a meaning for'))
    .min(1)
    .max(200)
    .refine(hasNoneTwice, 'has one twice')
    .describe('What the application gets there at most; with `email` among them that server is told the address'),
  groups: z
    .array(idSchema('group'))
    .max(50)
    .refine(hasNoneTwice, 'has one twice')
    .describe('The person has to be in one of them; anybody of the tenant where it is empty'),
  acrValues: z
    .array(z.string().min(1).max(200))
    .max(20)
    .describe('One of which the session has to have reached; any where it is empty'),
  maxAgeSeconds: z.int().min(60).max(2_592_000).nullable().describe('How long ago the sign-in may be; null: any'),
});
type Settings = z.infer<typeof vouchingPolicySettings>;

const changeable = {
  audienceClientId: true,
  resources: true,
  scopes: true,
  groups: true,
  acrValues: true,
  maxAgeSeconds: true,
} as const;

/** What it is about stays: for something else there is another one. */
export const vouchingPolicyChange = vouchingPolicySettings.pick(changeable).partial();
type Change = Partial<Pick<Settings, keyof typeof changeable>>;

export type VouchingPolicy = Settings & { createdAt: string; deletedAt?: Date };
export type VouchingPolicies = Collections<VouchingPolicy>;

export const mostOfATenant = 500;

/** By it the one policy is found that there is for an application and an authorization server. */
export const subjectOf = ({ clientId, audience }: { clientId: string; audience: string }): string =>
  JSON.stringify([clientId, audience]);

export const vouchingPolicies = collection<VouchingPolicy>({
  name: 'vouching_policies',
  unique: { subject: state => (state.deletedAt ? null : subjectOf(state)) },
  queries: { inOrder: { equality: [] } },
  expiresAt: ({ deletedAt }) => deletedAt ?? null,
});

export const vouchingPolicyView = z.object({
  id: z.string(),
  ...vouchingPolicySettings.shape,
  clientId: z.string(),
  groups: z.array(z.string()),
  createdAt: z.string(),
});

export function viewOf({ id, state }: Entry<VouchingPolicy>): z.infer<typeof vouchingPolicyView> {
  const { deletedAt: _, ...rest } = state;
  return { id, ...rest };
}

const updated = (id: string, changed: readonly string[], because: 'requested' | 'reset') =>
  event('policy.updated', {
    id: `vouching/${id}`,
    because,
    details: { kind: 'vouching', name: id, changed: [...changed] },
  });

const all = Object.keys(vouchingPolicySettings.shape);

export const create = (id: VouchingPolicyId, state: VouchingPolicy): NonNullable<Decision<VouchingPolicy>> => ({
  state,
  events: [updated(id, all, 'requested')],
});

export function update(id: string, policy: VouchingPolicy, change: Change): Decision<VouchingPolicy> {
  const changed = changedIn(policy, change);
  return changed.length === 0 ? null : { state: { ...policy, ...change }, events: [updated(id, changed, 'requested')] };
}

/** What was signed by it before counts for its two minutes still: nobody is asked about it. */
export const remove = (id: string, policy: VouchingPolicy, at: Date): Decision<VouchingPolicy> => ({
  state: { ...policy, deletedAt: at },
  events: [updated(id, all, 'reset')],
});
