import { createOnce, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import type { Vault } from '@reeve/vault';
import { z } from 'zod';
import {
  assertMaySpeakFor,
  type Connections,
  commonSettings,
  connectionView,
  draft,
  type ViewParts,
  viewOf,
} from './connection.ts';
import { connectionSecretClass } from './kinds/kind.ts';
import type { KindName, Kinds } from './kinds/registry.ts';

type Parts = ViewParts & { connections: Connections; vault: Vault; clock: Clock };

const { shape } = commonSettings;
const common = z.strictObject({
  name: shape.name,
  domains: shape.domains.default([]),
  trustEmail: shape.trustEmail.default(false),
  jit: shape.jit.default({ enabled: false, defaultRoles: ['tenant_member'] }),
});

type Body = z.infer<typeof common> & { kind: KindName } & Partial<Record<KindName, unknown>>;

/** With the settings of its kind under the kind's own name. */
function bodyOf(kinds: Kinds): z.ZodType<Body> {
  const options = Object.entries(kinds).map(([name, { input }]) =>
    common.extend({ kind: z.literal(name), [name]: input }),
  );
  const [first, ...others] = options;
  if (!first) throw new TypeError('there is no kind of connection');
  return z.discriminatedUnion('kind', [first, ...others]) as unknown as z.ZodType<Body>;
}

export const createConnection = ({ connections, kinds, vault, ownIssuer, clock }: Parts) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/sso-connections',
    summary: 'Create an SSO connection as a draft; register its redirectUri at the identity provider, then activate it',
    action: 'connections:write',
    body: bodyOf(kinds),
    status: 201,
    response: connectionView(kinds),
    async handle({ tenantId, caller, body, cause, freshId }) {
      const { kind, name, domains, trustEmail, jit } = body;
      await assertMaySpeakFor(connections, { caller, tenantId, connectionId: null, domains, before: [] });
      const id = freshId('connection');
      const { settings, issuer, secret } = await kinds[kind].prepare(body[kind], null);
      // The secret first: a connection without its secret could be activated, a secret without its connection harms
      // nobody.
      if (secret !== null) await vault.put(tenantId, { secretClass: connectionSecretClass, id }, secret, cause);
      const createdAt = clock.now().toISOString();
      const stored = { settings, issuer, secretSetAt: createdAt, createdAt };
      const drafted = draft(id, { kind, name, domains, trustEmail, jit, ...stored });
      const { entry } = await createOnce(connections.in(tenantId), id, drafted, { cause });
      return { body: viewOf(entry, { kinds, ownIssuer }), version: entry.version };
    },
  });
