// Which level of sign-in a tenant demands, where and how fresh, and what of its identity providers' words counts as
// one. One per tenant, under the tenant's id. Where nothing is said nothing is demanded, and no word counts. Pure.
import { actions } from '@reeve/access';
import { event, mattersAlways, revocationDraft, type TenantId } from '@reeve/contracts';
import { type Collections, changedIn, collection, type Decision } from '@reeve/store';
import { z } from 'zod';
import { acrsReaching, type Level, levels, reachesLevel, type StepUp } from '../factors/level.ts';

const level = z.enum(levels);
/** Null for as long as the session goes on. */
const maxAgeSeconds = z.int().min(60).max(43_200).nullable();
const demand = z.strictObject({ level, maxAgeSeconds });
export type Demand = z.infer<typeof demand>;

/** People consent at pages of the consent service, which know no levels; tokens are leased by machines. */
const notDemandable = /^(consents|delegated-tokens):/;
const demandable = Object.entries(actions)
  .filter(([name, { groups }]) => !notDemandable.test(name) && [...groups].includes('tenant-administration'))
  .map(([name]) => name);

const word = z.string().min(1).max(200);
const words = z.array(word).max(20);
const trusted = z
  .strictObject({ connectionId: z.string().min(1).max(100).nullable(), level, acr: words, amr: words })
  .refine(({ acr, amr }) => acr.length + amr.length > 0, 'must name an `acr` or an `amr`');

const isOnceEach = (names: readonly string[]) => new Set(names).size === names.length;

export const stepUpPolicySchema = z.strictObject({
  everywhere: demand.nullable(),
  surfaces: z
    .array(demand.extend({ surface: z.string().regex(/^[a-z][a-z0-9_-]{0,59}$/) }))
    .max(20)
    .refine(list => isOnceEach(list.map(({ surface }) => surface)), 'must name each surface once'),
  actions: z
    .array(demand.extend({ action: z.enum(demandable as [string, ...string[]]) }))
    .max(50)
    .refine(list => isOnceEach(list.map(({ action }) => action)), 'must name each action once'),
  trusted: z.array(trusted).max(20),
});
export type StepUpPolicy = z.infer<typeof stepUpPolicySchema>;

export const noStepUpPolicy: StepUpPolicy = { everywhere: null, surfaces: [], actions: [], trusted: [] };

export type StepUpPolicies = Collections<StepUpPolicy>;

export const stepUpPolicies = collection<StepUpPolicy>({ name: 'step_up_policies' });

/** The other services learn of it in the same write. */
export function set(tenantId: TenantId, before: StepUpPolicy | null, state: StepUpPolicy): Decision<StepUpPolicy> {
  const changed = changedIn(before ?? noStepUpPolicy, state);
  if (changed.length === 0) return null;
  const updated = event('policy.updated', {
    id: 'step-up',
    because: 'requested',
    details: { kind: 'step-up', changed },
  });
  return { state, events: changed.includes('actions') ? [updated, toldToServices(tenantId, state)] : [updated] };
}

function toldToServices(tenantId: TenantId, policy: StepUpPolicy) {
  const named = new Set([...policy.actions.map(({ action }) => action), ...handsOnRights]);
  const demands = [...named].flatMap(action => {
    const demanded = demandOfAction(policy, action);
    if (!demanded) return [];
    return [{ action, acrValues: acrsReaching(demanded.level), maxAgeSeconds: demanded.maxAgeSeconds }];
  });
  return revocationDraft({ kind: 'step_up', id: tenantId, demands, until: mattersAlways });
}

/** The most that it demands anywhere: whoever may only what needs less changes nothing of it. */
export const highestOf = ({ everywhere, surfaces, actions: list }: StepUpPolicy): Level | null =>
  levels.findLast(one => [everywhere, ...surfaces, ...list].some(each => each?.level === one)) ?? null;

type Asked = { surface: string; levelAsked: Level | null };

/** What a sign-in has to reach; null for nothing. Of several demands it has to meet each. */
export function demandOf({ everywhere, surfaces }: StepUpPolicy, { surface, levelAsked }: Asked): Demand | null {
  const ofSurface = surfaces.find(one => one.surface === surface);
  const asked = levelAsked && { level: levelAsked, maxAgeSeconds: null };
  return strictestOf([everywhere, ofSurface, asked].filter(one => one !== null && one !== undefined));
}

function strictestOf(all: readonly Demand[]): Demand | null {
  if (all.length === 0) return null;
  const ages = all.map(one => one.maxAgeSeconds).filter(age => age !== null);
  return {
    level: levels.findLast(one => all.some(each => each.level === one)) ?? 'mfa',
    maxAgeSeconds: ages.length === 0 ? null : Math.min(...ages),
  };
}

/**
 * By which a person makes what is asked for nothing (a machine, a directory, a token of a viewer), or says who comes in
 * as whom: somebody who has no factor yet gets their first one by coming in.
 */
export const handsOnRights: readonly string[] = [
  'clients:write',
  'directories:write',
  'audit:configure',
  'users:write',
  'connections:write',
  'domains:write',
];

/** What hands on rights to the others has to meet the demand of each. */
export const demandOfAction = ({ actions: list }: StepUpPolicy, action: string): Demand | null =>
  strictestOf(handsOnRights.includes(action) ? list : list.filter(one => one.action === action));

/** Whether what was reached in a session does, and is not too long ago. */
export function isMet({ level: wanted, maxAgeSeconds: age }: Demand, reached: StepUp | null, now: Date): boolean {
  if (!reached || !reachesLevel(reached.level, wanted)) return false;
  return age === null || now.getTime() - Date.parse(reached.at) <= age * 1_000;
}

type Said = { connectionId: string; acr: string | null; amr: readonly string[] };

/** The highest level that the provider's word counts as. */
export function levelTrusted({ trusted: rules }: StepUpPolicy, { connectionId, acr, amr }: Said): Level | null {
  const fitting = rules.filter(
    rule =>
      (rule.connectionId === null || rule.connectionId === connectionId) &&
      ((acr !== null && rule.acr.includes(acr)) || rule.amr.some(one => amr.includes(one))),
  );
  return levels.findLast(one => fitting.some(rule => rule.level === one)) ?? null;
}

/** A level of the provider's word as it is taken now: no higher than it was then, and null where it counts no more. */
export function stillReached(policy: StepUpPolicy, said: Said, then: StepUp): StepUp | null {
  const trusted = levelTrusted(policy, said);
  if (!trusted) return null;
  return reachesLevel(trusted, then.level) ? then : { ...then, level: trusted };
}
