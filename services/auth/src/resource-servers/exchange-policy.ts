// Who may exchange a person's access token for one for this API (RFC 8693), as data of the API that takes the new one:
// from which other APIs, by which applications, and which scope there is worth which here. What is not said is refused.
import { idSchema } from '@reeve/contracts';
import { z } from 'zod';

export const scopeText = z
  .string()
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/, 'must be up to 100 printable ASCII characters without spaces, " and \\');

const most = { policies: 50, each: 50, scopes: 200, required: 20 };

export const exchangePolicies = z
  .array(
    z.strictObject({
      from: z.array(z.url().max(500)).min(1).max(most.each).describe('APIs of the product, as they are registered'),
      by: z.array(idSchema('client')).min(1).max(most.each).describe('Applications that act for those APIs'),
      scopes: z
        .array(
          z.strictObject({
            name: scopeText,
            requires: z.array(scopeText).min(1).max(most.required).describe('All of them, in the subject token'),
          }),
        )
        .min(1)
        .max(most.scopes)
        .describe('What can be had, and what the subject token has to hold for it'),
      maxLifetimeSeconds: z.number().int().min(5).max(3_600).default(300),
      actor: z
        .enum(['refused', 'allowed', 'required'])
        .default('refused')
        .describe('Whether an actor_token may say who acts; without one it is the application that exchanges'),
    }),
  )
  .max(most.policies);
export type ExchangePolicy = z.infer<typeof exchangePolicies>[number];

/** Settings of an API that have to do with it. */
type Exchangeable = { exchangePolicies: readonly ExchangePolicy[]; scopes: readonly { name: string }[] };

/**
 * Why these policies do not go together, by field; null when they do. For each question there is one answer. `own` are
 * the URLs of Reeve itself, whose tokens are shown to nobody else.
 */
export function contradictionInPolicies(
  { exchangePolicies: policies, scopes }: Exchangeable,
  own: readonly string[],
): { field: string; message: string } | null {
  const known = new Set(scopes.map(({ name }) => name));
  const said = new Set<string>();
  for (const [index, policy] of policies.entries()) {
    const field = `exchangePolicies.${index}`;
    const names = policy.scopes.map(({ name }) => name);
    const other = names.findIndex(name => !known.has(name));
    if (other !== -1) return { field: `${field}.scopes.${other}.name`, message: 'is no scope of the API' };
    if (new Set(names).size !== names.length) return { field: `${field}.scopes`, message: 'has a name twice' };
    const ofReeve = policy.from.findIndex(url => isOfService(own, url));
    if (ofReeve !== -1) return { field: `${field}.from.${ofReeve}`, message: 'is Reeve’s own' };
    for (const pair of policy.from.flatMap(from => policy.by.map(by => `${by} ${from}`))) {
      if (said.has(pair))
        return { field, message: `says again what ${pair.replace(' ', ' may do with a token for ')}` };
      said.add(pair);
    }
  }
  return null;
}

/** Whether that URL is one of a service that has one of these. */
export const isOfService = (urls: readonly string[], url: string): boolean =>
  urls.some(one => new URL(one).origin === new URL(url).origin);

/** Whether there is anything that the application may exchange for a token for this API. */
export const mayExchange = ({ exchangePolicies: policies }: Exchangeable, clientId: string): boolean =>
  policies.some(({ by }) => by.some(one => one === clientId));

/** What the application may get by exchanging, whichever token it has; null where it may not exchange. */
export const scopesByExchange = (server: Exchangeable, clientId: string): string[] | null =>
  mayExchange(server, clientId)
    ? server.exchangePolicies
        .filter(({ by }) => by.some(one => one === clientId))
        .flatMap(({ scopes }) => scopes.map(({ name }) => name))
    : null;

/** What the application may do with a token for that API; null for nothing. */
export const policyFor = (
  { exchangePolicies: policies }: Exchangeable,
  { by, from }: { by: string; from: string },
): ExchangePolicy | null =>
  policies.find(policy => policy.from.includes(from) && policy.by.some(one => one === by)) ?? null;
