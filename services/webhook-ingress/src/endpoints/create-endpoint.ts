import { newId } from '@reeve/contracts';
import { createOnce, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { schemeNames } from '@reeve/webhook-signatures';
import { z } from 'zod';
import {
  assertConsistent,
  defaultSettings,
  type Endpoints,
  mostLiveSecrets,
  open,
  settingsBody,
  settingsIn,
  signatureBody,
  signatureSettings,
} from './endpoint.ts';
import type { EndpointSecrets } from './endpoint-secrets.ts';
import { endpointWithSecret, showEndpoint } from './show-endpoint.ts';

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
        .max(mostLiveSecrets)
        .optional()
        .describe(
          'Secrets or public keys that the partner signs with; without them Reeve makes one where the scheme allows',
        ),
    }),
    status: 201,
    response: endpointWithSecret,
    withoutSecrets: endpoint => ({ ...endpoint, secret: null }),
    async handle({ tenantId, body, cause, freshId }) {
      const { connectorId, scheme, signature: form, secrets: given = [], ...settings } = body;
      const id = freshId('endpoint');
      const createdAt = clock.now().toISOString();
      const signature = signatureSettings(scheme, form);
      const all = { ...defaultSettings, ...settingsIn(settings), scheme, signature };
      assertConsistent(all);
      const live = [];
      let shown: string | null = null;
      for (const [index, secret] of (given.length > 0 ? given : [undefined]).entries()) {
        const wanted = { id: newId('secret'), scheme, signature, given: secret, field: `secrets.${index}` };
        shown = await secrets.create(tenantId, wanted, cause);
        live.push({ id: wanted.id, createdAt, expiresAt: null });
      }
      const endpoint = { ...all, connectorId, installationId: null, secrets: live, createdAt };
      const opened = open(id, endpoint, 'requested');
      const { entry, isNew } = await createOnce(endpoints.in(tenantId), id, opened, { cause });
      if (!isNew)
        await secrets.discard(
          tenantId,
          live.map(secret => secret.id),
          cause,
        );
      const view = await showEndpoint({ secrets, selfUrl }, tenantId, entry);
      return { body: { ...view, secret: isNew ? shown : null }, version: entry.version };
    },
  });
