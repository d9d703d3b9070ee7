import { type Cause, emptyContext } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import { type Endpoints, turn } from './endpoint.ts';

export const disableEndpointWhenUninstalled = ({ endpoints }: { endpoints: Endpoints }): Handlers => ({
  async 'installation.uninstalled'({ id: causationId, tenantId, correlationId, data }) {
    const collection = endpoints.in(tenantId);
    const found = await collection.getByUnique('installation', data.target.id ?? '');
    if (!found) return;
    const actor = { type: 'service', id: 'webhook-ingress', name: null, via: 'system' } as const;
    const cause: Cause = { actor, context: emptyContext, correlationId, causationId };
    await collection.change(found.id, endpoint => endpoint && turn(found.id, endpoint, 'disabled', 'uninstalled'), {
      cause,
    });
  },
});
