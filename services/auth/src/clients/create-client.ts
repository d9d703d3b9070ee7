import { ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { z } from 'zod';
import { type Clients, clientView, newClientSecret, register, sha256, viewOf } from './client.ts';

const secureOrLocal = z
  .url()
  .refine(
    text => text.startsWith('https://') || /^http:\/\/(localhost|127\.0\.0\.1)(:|\/|$)/.test(text),
    'must be https, or http on localhost',
  )
  .refine(text => !text.includes('#'), 'must have no fragment');

const body = z
  .strictObject({
    name: z.string().trim().min(1).max(200),
    grantTypes: z
      .array(z.enum(['client_credentials', 'authorization_code', 'refresh_token']))
      .min(1)
      .default(['client_credentials']),
    redirectUris: z.array(secureOrLocal).max(20).default([]),
    postLogoutRedirectUris: z.array(secureOrLocal).max(20).default([]),
  })
  .refine(value => !value.grantTypes.includes('authorization_code') || value.redirectUris.length > 0, {
    path: ['redirectUris'],
    message: 'authorization_code needs at least one',
  });

export const createClient = ({ clients, clock }: { clients: Clients; clock: Clock }) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/clients',
    summary: 'Register an OAuth client; its secret is shown once',
    action: 'clients:write',
    body,
    status: 201,
    response: clientView.extend({ clientSecret: z.string().nullable() }),
    withoutSecrets: client => ({ ...client, clientSecret: null }),
    async handle({ tenantId, body: input, cause, freshId }) {
      const id = freshId('client');
      const clientSecret = newClientSecret();
      const client = register(id, tenantId, {
        ...input,
        secretSha256: sha256(clientSecret),
        createdAt: clock.now().toISOString(),
      });
      const entry = await clients.in(tenantId).create(id, client, cause);
      if (entry) return { body: { ...viewOf(entry, tenantId), clientSecret } };
      const existing = await clients.in(tenantId).get(id);
      if (!existing) throw new ProblemError('conflict');
      return { body: { ...viewOf(existing, tenantId), clientSecret: null } };
    },
  });
