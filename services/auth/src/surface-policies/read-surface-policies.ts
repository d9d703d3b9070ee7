import { invalidField } from '@reeve/contracts';
import type { Route } from '@reeve/service-kit';
import { z } from 'zod';
import { surfacePolicyRoutes } from './routes.ts';
import { builtInSurfaces, type SurfacePolicies, surfaceName, surfacePolicyView, viewOf } from './surface-policy.ts';
import type { SurfacePolicyDirectory } from './surface-policy-directory.ts';

type Parts = { policies: SurfacePolicies; directory: SurfacePolicyDirectory };

export const listSurfacePolicies = ({ directory }: Pick<Parts, 'directory'>): Route[] =>
  surfacePolicyRoutes('', {
    method: 'get',
    summary: 'What holds for sessions of each surface that Reeve knows, or somebody has said something of',
    action: 'policies:read',
    response: z.object({ items: z.array(surfacePolicyView) }),
    async handle({ owner }) {
      const surfaces = [...new Set([...builtInSurfaces, ...(await directory.named(owner))])].toSorted();
      const items = await Promise.all(surfaces.map(async one => viewOf(one, await directory.said(owner, one))));
      return { body: { items } };
    },
  });

export const readSurfacePolicy = ({ policies, directory }: Parts): Route[] =>
  surfacePolicyRoutes('/{surface}', {
    method: 'get',
    summary: 'What holds for sessions of a surface',
    action: 'policies:read',
    response: surfacePolicyView,
    async handle({ owner, params: { surface } }) {
      assertSurface(surface);
      const entry = await policies.in(owner).get(surface);
      return { body: viewOf(surface, await directory.said(owner, surface)), version: entry?.version ?? 0 };
    },
  });

/** Throws `input_invalid` for what no application can have as its surface. */
export function assertSurface(surface: string): void {
  if (!surfaceName.safeParse(surface).success)
    throw invalidField('surface', 'must be up to 60 lowercase letters, digits, _ and -, and begin with a letter');
}
