import { tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import { connectionView, type ViewParts, viewOf } from './connection.ts';
import type { ConnectionAdministration } from './connection-administration.ts';

export const rollBackConnection = ({
  administration,
  ...parts
}: ViewParts & { administration: ConnectionAdministration }) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/sso-connections/{connectionId}:rollback',
    summary: 'Give an SSO connection the settings of a former revision. Its secret stays as it is now',
    action: 'connections:write',
    versioned: true,
    body: z.strictObject({ revision: z.int().min(1) }),
    response: connectionView(parts.kinds).extend({
      secretReplacedSince: z.boolean().describe('The secret is another one than it was then, and stays'),
    }),
    async handle({ tenantId, caller, params: { connectionId: id }, body, cause, expectedVersion }) {
      const asked = { tenantId, id, caller, cause, expectedVersion };
      const { entry, secretReplacedSince } = await administration.rollBack(asked, body.revision);
      return { body: { ...viewOf(entry, parts), secretReplacedSince }, version: entry.version };
    },
  });
