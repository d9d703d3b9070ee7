import { ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { schemeNames } from '@reeve/webhook-signatures';
import { z } from 'zod';
import { defaultSettings, type Endpoints, endpointView, open, viewOf } from './endpoint.ts';
import type { EndpointSecrets } from './endpoint-secrets.ts';
import { assertConsistent, settingsBody, settingsIn, signatureBody, signatureSettings } from './endpoint-settings.ts';

type Parts = { endpoints: Endpoints; secrets: EndpointSecrets; clock: Clock; selfUrl: string };

export const createEndpoint = ({ endpoints, secrets, clock, selfUrl }: Parts) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/webhook-endpoints',
    summary: 'Create a webhook endpoint; a secret that Reeve makes is shown once',
    action: 'webhooks:write',
    body: settingsBody.extend({
      connectorId: z.string().min(1).max(100),
      scheme: z.enum(schemeNames).default('standard'),
      signature: signatureBody.optional().describe("How the partner's own scheme signs: for hmac and ed25519"),
      secrets: z
        .array(z.string())
        .max(5)
        .optional()
        .describe(
          'The secrets or public keys that the partner signs with; without them Reeve makes one where the scheme allows',
        ),
    }),
    status: 201,
    response: endpointView.extend({ secret: z.string().nullable() }),
    withoutSecrets: endpoint => ({ ...endpoint, secret: null }),
    async handle({
      tenantId,
      body: { connectorId, scheme, signature, secrets: given = [], ...settings },
      cause,
      freshId,
    }) {
      const id = freshId('endpoint');
      const createdAt = clock.now().toISOString();
      const form = signatureSettings(scheme, signature);
      const all = { ...defaultSettings, ...settingsIn(settings) };
      assertConsistent(all);
      const wanted = given.length > 0 ? given : [undefined];
      const created = [];
      for (const [index, secret] of wanted.entries())
        created.push(
          await secrets.create(tenantId, { scheme, signature: form, given: secret, field: `secrets.${index}` }, cause),
        );
      const live = created.map(secret => ({ id: secret.id, createdAt, expiresAt: null }));
      const decision = open(
        id,
        { ...all, connectorId, installationId: null, scheme, signature: form, secrets: live, createdAt },
        'requested',
      );
      const entry = await endpoints.in(tenantId).create(id, decision, cause);
      const secret = entry ? (created[0]?.shown ?? null) : null;
      const current = entry ?? (await endpoints.in(tenantId).get(id));
      if (!current) throw new ProblemError('conflict');
      return { body: { ...viewOf(current, selfUrl, new Map()), secret }, version: current.version };
    },
  });
