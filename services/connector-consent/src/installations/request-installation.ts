import { createOnce, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { z } from 'zod';
import { assertOffered, type Catalogue } from '../catalogue/catalogue.ts';
import { type Installations, installationView, request, viewOf } from './installation.ts';

type Parts = { installations: Installations; catalogue: Catalogue; clock: Clock; selfUrl: string };

export const requestInstallation = ({ installations, catalogue, clock, selfUrl }: Parts) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/installations:request',
    summary: 'Ask for a connector to be installed',
    action: 'installations:write',
    body: z.strictObject({
      connectorId: z.string().min(1).max(100),
      scopes: z.array(z.string().max(200)).min(1).max(50),
    }),
    status: 201,
    response: installationView,
    async handle({ tenantId, body, cause, freshId }) {
      const connector = catalogue.get(body.connectorId);
      const scopes = [...new Set(body.scopes)];
      assertOffered(connector, scopes);
      const id = freshId('installation');
      const asked = {
        connectorId: connector.id,
        connectorName: connector.name,
        scopes,
        createdAt: clock.now().toISOString(),
      };
      const { entry } = await createOnce(installations.in(tenantId), id, request(id, asked), { cause });
      return { body: viewOf(entry, selfUrl), version: entry.version };
    },
  });
