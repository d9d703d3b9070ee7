// How sessions go on in one kind of place that people use the product in: for how long, and what happens at another
// device. Reeve says what is usual, the platform may say otherwise for all tenants, and a tenant may be stricter. Pure.
import { event, invalidField, type ReasonOf } from '@reeve/contracts';
import { type Collections, changedIn, collection, type Decision } from '@reeve/store';
import { z } from 'zod';

const minute = 60;
const hour = 3_600;
const day = 86_400;

/** From the mildest to the strictest. */
const reactions = ['ignore', 'sign_in', 'end'] as const;

/** Whatever a policy says. */
export const longestSessionSeconds = 90 * day;

export const surfacePolicySchema = z.strictObject({
  idleSeconds: z
    .number()
    .int()
    .min(5 * minute)
    .max(14 * day)
    .nullable()
    .describe('It is over when it was not used for so long; null for no such limit'),
  absoluteSeconds: z
    .number()
    .int()
    .min(5 * minute)
    .max(longestSessionSeconds)
    .describe('It is over so long after it began, however much it is used'),
  deviceChange: z
    .enum(reactions)
    .describe('When its browser turns out to be another one: nothing, the person signs in again, or it ends'),
  providerLogout: z.boolean().describe('Whoever signs out signs out at the identity provider as well'),
});

export type SurfacePolicy = z.infer<typeof surfacePolicySchema>;
type Stored = SurfacePolicy & { deletedAt?: Date };
export type SurfacePolicies = Collections<Stored>;

/** As applications name theirs. */
export const surfaceName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,59}$/, 'must be up to 60 lowercase letters, digits, _ and -');

const usual: SurfacePolicy = {
  idleSeconds: null,
  absoluteSeconds: 12 * hour,
  deviceChange: 'ignore',
  providerLogout: true,
};

const builtIn: Record<string, SurfacePolicy> = {
  /** Reads alone, and is left open. */
  dashboard: usual,
  /** Where connectors are written and set up. */
  console: { ...usual, idleSeconds: 30 * minute, absoluteSeconds: 8 * hour, deviceChange: 'end' },
  /** Pages of Reeve's own, where people see and end their sessions. */
  account: { ...usual, deviceChange: 'sign_in' },
  assistant: { ...usual, idleSeconds: hour, deviceChange: 'sign_in' },
  api: { ...usual, idleSeconds: 14 * day, absoluteSeconds: 90 * day },
  mobile: { ...usual, idleSeconds: 14 * day, absoluteSeconds: 90 * day, deviceChange: 'sign_in' },
};
export const builtInSurfaces: readonly string[] = Object.keys(builtIn);

/** By the name of the surface, in a tenant or of the platform. */
export const surfacePolicies = collection<Stored>({
  name: 'surface_policies',
  queries: { inOrder: { equality: [] } },
  expiresAt: ({ deletedAt }) => deletedAt ?? null,
});

const shorter = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? (one ?? other) : Math.min(one, other);

export const stricter = (one: SurfacePolicy['deviceChange'], other: SurfacePolicy['deviceChange']) =>
  reactions.indexOf(one) > reactions.indexOf(other) ? one : other;

/** What somebody said of the surface; undefined where they said nothing. */
export type Said = { platform?: SurfacePolicy | undefined; tenant?: SurfacePolicy | undefined };

/** What holds for a tenant, also where the platform has become stricter than the tenant since. */
export function effective(surface: string, { platform, tenant }: Said): SurfacePolicy {
  const bound = platform ?? builtIn[surface] ?? usual;
  if (!tenant) return bound;
  return {
    idleSeconds: shorter(bound.idleSeconds, tenant.idleSeconds),
    absoluteSeconds: Math.min(bound.absoluteSeconds, tenant.absoluteSeconds),
    deviceChange: stricter(bound.deviceChange, tenant.deviceChange),
    providerLogout: tenant.providerLogout,
  };
}

/** Throws `input_invalid` for what is milder than the platform allows. */
export function assertWithin(policy: SurfacePolicy, bound: SurfacePolicy): void {
  const allowed = effective('', { platform: bound, tenant: policy });
  const milder = (['idleSeconds', 'absoluteSeconds', 'deviceChange'] as const).find(
    name => allowed[name] !== policy[name],
  );
  if (milder !== undefined) throw invalidField(milder, `may be ${allowed[milder]} at the mildest`);
}

const settingsOf = ({ idleSeconds, absoluteSeconds, deviceChange, providerLogout }: SurfacePolicy): SurfacePolicy => ({
  idleSeconds,
  absoluteSeconds,
  deviceChange,
  providerLogout,
});

export function set(surface: string, before: Stored | null, policy: SurfacePolicy): Decision<Stored> {
  const changed = before ? changedIn(before, policy) : Object.keys(policy);
  return changed.length === 0 ? null : { state: policy, events: [updated(surface, changed, 'requested')] };
}

/** What is usual holds again. */
export const reset = (surface: string, policy: Stored, at: Date): Decision<Stored> => ({
  state: { ...policy, deletedAt: at },
  events: [updated(surface, Object.keys(settingsOf(policy)), 'reset')],
});

function updated(name: string, changed: string[], because: ReasonOf<'policy.updated'>) {
  return event('policy.updated', { id: `surface/${name}`, name, because, details: { kind: 'surface', name, changed } });
}

export const surfacePolicyView = surfacePolicySchema.extend({
  surface: z.string(),
  setBy: z.enum(['tenant', 'platform', 'reeve']).describe('Whose word it is, within the bounds of those after it'),
});

export function viewOf(surface: string, said: Said): z.infer<typeof surfacePolicyView> {
  const setBy = said.tenant ? 'tenant' : said.platform ? 'platform' : 'reeve';
  return { surface, ...settingsOf(effective(surface, said)), setBy };
}
