import type { TenantId } from '@reeve/contracts';
import type { Entry } from '@reeve/store';
import { type Endpoint, type EndpointView, viewOf } from './endpoint.ts';
import type { EndpointSecrets } from './endpoint-secrets.ts';

type Parts = { secrets: EndpointSecrets; selfUrl: string };

/** Endpoints as the API shows them, with when their secrets were last used. */
export async function showEndpoints(
  { secrets, selfUrl }: Parts,
  tenantId: TenantId,
  entries: readonly Entry<Endpoint>[],
): Promise<EndpointView[]> {
  const ids = entries.flatMap(({ state }) => state.secrets.map(({ id }) => id));
  const lastUsed = await secrets.lastUsed(tenantId, ids);
  return entries.map(entry => viewOf(entry, selfUrl, lastUsed));
}

export async function showEndpoint(parts: Parts, tenantId: TenantId, entry: Entry<Endpoint>): Promise<EndpointView> {
  const [view] = await showEndpoints(parts, tenantId, [entry]);
  return view as EndpointView;
}
