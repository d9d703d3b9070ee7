import { ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import type { GuardedFetch } from '@reeve/service-kit/outbound';
import type { Clock } from '@reeve/store';
import type { Vault } from '@reeve/vault';
import { z } from 'zod';
import { type Connections, clientSecretClass, connectionView, draft, viewOf } from './connection.ts';
import { discover } from './discover.ts';

type Parts = { connections: Connections; vault: Vault; guardedFetch: GuardedFetch; ownIssuer: string; clock: Clock };

const body = z.strictObject({
  name: z.string().trim().min(1).max(200),
  kind: z.literal('oidc'),
  oidc: z.strictObject({
    issuer: z.url().max(500),
    clientId: z.string().min(1).max(200),
    clientSecret: z.string().min(1).max(500),
  }),
  trustEmail: z.boolean().default(false),
  jit: z
    .strictObject({
      enabled: z.boolean().default(false),
      defaultRoles: z.array(z.enum(['tenant_member', 'tenant_auditor'])).default(['tenant_member']),
    })
    .default({ enabled: false, defaultRoles: ['tenant_member'] }),
});

export const createConnection = ({ connections, vault, guardedFetch, ownIssuer, clock }: Parts) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/sso-connections',
    summary: 'Create an SSO connection as a draft; register its redirectUri at the identity provider, then activate it',
    action: 'connections:write',
    body,
    status: 201,
    response: connectionView,
    async handle({ tenantId, body: input, cause, freshId }) {
      const id = freshId('connection');
      const metadata = await discover(input.oidc.issuer, guardedFetch);
      // The secret first: a connection without its secret could be activated, a secret without its connection harms nobody.
      await vault.put(tenantId, { secretClass: clientSecretClass, id }, input.oidc.clientSecret, cause);
      const { name, trustEmail, jit } = input;
      const { issuer, clientId } = input.oidc;
      const decision = draft(id, {
        name,
        issuer,
        metadata,
        clientId,
        trustEmail,
        jit,
        createdAt: clock.now().toISOString(),
      });
      const entry =
        (await connections.in(tenantId).create(id, decision, cause)) ?? (await connections.in(tenantId).get(id));
      if (!entry) throw new ProblemError('conflict');
      return { body: viewOf(entry, ownIssuer), version: entry.version };
    },
  });
