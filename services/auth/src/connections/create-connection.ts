import { tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import { commonSettings, connectionView, type ViewParts, viewOf } from './connection.ts';
import type { ConnectionAdministration, NewConnection } from './connection-administration.ts';
import type { Kinds } from './kinds/registry.ts';

const { shape } = commonSettings;
const common = z.strictObject({
  name: shape.name,
  domains: shape.domains.default([]),
  trustEmail: shape.trustEmail.default(false),
  contacts: shape.contacts.default([]),
  jit: shape.jit.default({ enabled: false, defaultRoles: ['tenant_member'] }),
  attributes: shape.attributes.default({}),
  identifier: shape.identifier.default(null),
});

/** With the settings of its kind under the kind's own name. */
export function connectionBody(kinds: Kinds): z.ZodType<NewConnection> {
  const options = Object.entries(kinds).map(([name, { input }]) =>
    common.extend({ kind: z.literal(name), [name]: input }),
  );
  const [first, ...others] = options;
  if (!first) throw new TypeError('there is no kind of connection');
  return z.discriminatedUnion('kind', [first, ...others]) as unknown as z.ZodType<NewConnection>;
}

export const createConnection = ({
  administration,
  ...parts
}: ViewParts & { administration: ConnectionAdministration }) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/sso-connections',
    summary: 'Create an SSO connection as a draft; register its redirectUri at the identity provider, then activate it',
    action: 'connections:write',
    body: connectionBody(parts.kinds),
    status: 201,
    response: connectionView(parts.kinds),
    async handle({ tenantId, caller, body, cause, freshId }) {
      const entry = await administration.create({ tenantId, id: freshId('connection'), caller, cause }, body);
      return { body: viewOf(entry, parts), version: entry.version };
    },
  });
