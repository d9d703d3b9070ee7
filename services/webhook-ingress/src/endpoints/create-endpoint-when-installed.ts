import { type Cause, emptyContext, newId } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import { type Clock, DuplicateKeyError } from '@reeve/store';
import { defaultToleranceSeconds, type Endpoints, open } from './endpoint.ts';
import type { EndpointSecrets } from './endpoint-secrets.ts';

type Parts = { endpoints: Endpoints; secrets: EndpointSecrets; clock: Clock };

/** One endpoint per installation: the unique key makes a second delivery of the event change nothing. */
export const createEndpointWhenInstalled = ({ endpoints, secrets, clock }: Parts): Handlers => ({
  async 'installation.installed'({ id: causationId, tenantId, correlationId, data }) {
    const installationId = data.target.id ?? '';
    const collection = endpoints.in(tenantId);
    if (await collection.getByUnique('installation', installationId)) return;
    const cause: Cause = {
      actor: { type: 'service', id: 'webhook-ingress', name: null, via: 'system' },
      context: emptyContext,
      correlationId,
      causationId,
    };
    const createdAt = clock.now().toISOString();
    const { id: secretId } = await secrets.create(tenantId, cause);
    const id = newId('endpoint');
    const endpoint = {
      connectorId: data.details.connectorId,
      installationId,
      toleranceSeconds: defaultToleranceSeconds,
      secrets: [{ id: secretId, createdAt, expiresAt: null }],
      createdAt,
    };
    try {
      await collection.create(id, open(id, endpoint, 'installed'), cause);
    } catch (error) {
      if (!(error instanceof DuplicateKeyError)) throw error;
    }
  },
});
