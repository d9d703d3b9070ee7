import { serviceCause } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import { type Endpoints, turn } from './endpoint.ts';
import type { Receivers } from './receivers.ts';

export const disableEndpointWhenUninstalled = ({
  endpoints,
  receivers,
}: {
  endpoints: Endpoints;
  receivers: Receivers;
}): Handlers => ({
  async 'installation.uninstalled'({ id: causationId, tenantId, correlationId, data }) {
    const collection = endpoints.in(tenantId);
    const found = await collection.getByUnique('installation', data.target.id ?? '');
    if (!found) return;
    const cause = serviceCause('webhook-ingress', { correlationId, causationId });
    await collection.change(found.id, endpoint => endpoint && turn(found.id, endpoint, 'disabled', 'uninstalled'), {
      cause,
    });
    receivers.forget(found.id);
  },
});
