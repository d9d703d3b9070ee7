// Endpoints as the API shows them: with their URL, and with when their secrets were last used.
import type { TenantId } from '@reeve/contracts';
import type { Entry } from '@reeve/store';
import { schemeNames } from '@reeve/webhook-signatures';
import { z } from 'zod';
import { type Endpoint, idSource } from './endpoint.ts';
import type { EndpointSecrets } from './endpoint-secrets.ts';

export const endpointView = z.object({
  id: z.string(),
  url: z.string(),
  connectorId: z.string(),
  installationId: z.string().nullable(),
  scheme: z.enum(schemeNames),
  signature: z.record(z.string(), z.string().nullable()).nullable(),
  status: z.enum(['active', 'disabled']),
  toleranceSeconds: z.number(),
  idFrom: z.string().nullable(),
  trustUnsignedIds: z.boolean(),
  sequenceFrom: z.string().nullable(),
  orderingKeyFrom: z.string().nullable(),
  ordered: z.boolean(),
  holdSeconds: z.number(),
  onGap: z.enum(['release', 'refuse']),
  limits: z.object({ perSecond: z.number() }),
  allowedIps: z.array(z.string()),
  contentTypes: z.array(z.string()),
  secrets: z.array(
    z.object({
      id: z.string(),
      createdAt: z.string(),
      lastUsedAt: z.string().nullable(),
      expiresAt: z.string().nullable(),
    }),
  ),
  createdAt: z.string(),
});

type EndpointView = z.infer<typeof endpointView>;

/** A secret that Reeve makes is shown when it is made, and never again. */
export const endpointWithSecret = endpointView.extend({ secret: z.string().nullable() });

export type ShowParts = { secrets: EndpointSecrets; selfUrl: string };

export async function showEndpoints(
  { secrets, selfUrl }: ShowParts,
  tenantId: TenantId,
  entries: readonly Entry<Endpoint>[],
): Promise<EndpointView[]> {
  const lastUsed = await secrets.lastUsed(
    tenantId,
    entries.flatMap(({ state }) => state.secrets.map(({ id }) => id)),
  );
  return entries.map(entry => viewOf(entry, { selfUrl, lastUsed }));
}

export async function showEndpoint(
  { secrets, selfUrl }: ShowParts,
  tenantId: TenantId,
  entry: Entry<Endpoint>,
): Promise<EndpointView> {
  const lastUsed = await secrets.lastUsed(
    tenantId,
    entry.state.secrets.map(({ id }) => id),
  );
  return viewOf(entry, { selfUrl, lastUsed });
}

function viewOf(
  { id, state }: Entry<Endpoint>,
  { selfUrl, lastUsed }: { selfUrl: string; lastUsed: ReadonlyMap<string, string> },
): EndpointView {
  return {
    id,
    url: `${selfUrl}/hooks/${id}`,
    ...state,
    idFrom: idSource(state).from,
    secrets: state.secrets.map(secret => ({ ...secret, lastUsedAt: lastUsed.get(secret.id) ?? null })),
  };
}
