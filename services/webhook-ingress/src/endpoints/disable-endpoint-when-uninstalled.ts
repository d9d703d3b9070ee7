import { type Id, serviceCause } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import { disable, type Endpoints } from './endpoint.ts';
import type { Receivers } from './receivers.ts';

type Parts = { endpoints: Endpoints; receivers: Receivers };

export const disableEndpointWhenUninstalled = ({ endpoints, receivers }: Parts): Handlers => ({
  async 'installation.uninstalled'({ id: causationId, tenantId, correlationId, data }) {
    const collection = endpoints.in(tenantId);
    const found = await collection.getByUnique('installation', data.target.id);
    if (!found) return;
    const id = found.id as Id<'endpoint'>;
    const cause = serviceCause('webhook-ingress', { correlationId, causationId });
    await collection.change(id, endpoint => endpoint && disable(id, endpoint, 'uninstalled'), { cause });
    receivers.forget(id);
  },
});
