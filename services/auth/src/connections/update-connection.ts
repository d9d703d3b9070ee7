import { tenantRoute } from '@reeve/service-kit';
import type { z } from 'zod';
import { commonSettings, connectionView, type ViewParts, viewOf } from './connection.ts';
import type { ConnectionAdministration, ConnectionChange } from './connection-administration.ts';
import type { Kinds } from './kinds/registry.ts';

/** Each setting may be left out; those of the kind stand under its name. */
const connectionChange = (kinds: Kinds): z.ZodType<ConnectionChange> =>
  commonSettings
    .partial()
    .extend(Object.fromEntries(Object.entries(kinds).map(([name, { change }]) => [name, change.optional()])));

export const updateConnection = ({
  administration,
  ...parts
}: ViewParts & { administration: ConnectionAdministration }) =>
  tenantRoute({
    method: 'patch',
    path: '/v1/tenants/{tenantId}/sso-connections/{connectionId}',
    summary: 'Change an SSO connection; what is left out stays. A new issuer is discovered again',
    action: 'connections:write',
    versioned: true,
    body: connectionChange(parts.kinds),
    response: connectionView(parts.kinds),
    async handle({ tenantId, caller, params: { connectionId: id }, body, cause, expectedVersion }) {
      const entry = await administration.change({ tenantId, id, caller, cause, expectedVersion }, body);
      return { body: viewOf(entry, parts), version: entry.version };
    },
  });
