import { invalidField, platformTenantId, type TenantId } from '@reeve/contracts';
import { changeExisting, type Route } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { assertSurface } from './read-surface-policies.ts';
import { surfacePolicyRoutes } from './routes.ts';
import {
  assertWithin,
  effective,
  reset,
  type SurfacePolicies,
  set,
  surfacePolicySchema,
  surfacePolicyView,
  viewOf,
} from './surface-policy.ts';
import { mostSurfaces, type SurfacePolicyDirectory } from './surface-policy-directory.ts';

type Parts = { policies: SurfacePolicies; directory: SurfacePolicyDirectory; clock: Clock };

export const setSurfacePolicy = ({ policies, directory }: Parts): Route[] =>
  surfacePolicyRoutes('/{surface}', {
    method: 'put',
    summary:
      'Say what holds for sessions of a surface, also for those that are live; a tenant no milder than the platform',
    action: 'policies:write',
    versioned: true,
    body: surfacePolicySchema,
    response: surfacePolicyView,
    async handle({ owner, params: { surface }, body, cause, expectedVersion }) {
      assertSurface(surface);
      const own = policies.in(owner);
      if (owner !== platformTenantId) assertWithin(body, await boundOf(policies, surface));
      const { items } = await own.list('inOrder', {}, { limit: mostSurfaces });
      if (items.length === mostSurfaces && !items.some(({ id }) => id === surface))
        throw invalidField('surface', `only ${mostSurfaces} can have a policy of their own`);
      const entry = await own.change(surface, before => set(surface, before, body), { cause, expectedVersion });
      return { body: await viewNow(directory, owner, surface), version: entry?.version ?? 0 };
    },
  });

/** As it is now, and not a second ago. */
async function boundOf(policies: SurfacePolicies, surface: string) {
  const entry = await policies.in(platformTenantId).get(surface);
  return effective(surface, { platform: entry?.state });
}

async function viewNow(directory: SurfacePolicyDirectory, owner: TenantId, surface: string) {
  directory.forget(owner);
  return viewOf(surface, await directory.said(owner, surface));
}

export const resetSurfacePolicy = ({ policies, directory, clock }: Parts): Route[] =>
  surfacePolicyRoutes('/{surface}', {
    method: 'delete',
    summary: 'What is usual holds again for sessions of a surface',
    action: 'policies:write',
    versioned: true,
    status: 204,
    async handle({ owner, params: { surface }, cause, expectedVersion }) {
      const decide = (policy: Parameters<typeof reset>[1]) => reset(surface, policy, clock.now());
      await changeExisting(policies.in(owner), surface, decide, { cause, expectedVersion });
      directory.forget(owner);
      return { body: undefined };
    },
  });
