import { newId, serviceCause } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import { type Clock, DuplicateKeyError } from '@reeve/store';
import { defaultSettings, type Endpoints, open } from './endpoint.ts';
import type { EndpointSecrets } from './endpoint-secrets.ts';

type Parts = { endpoints: Endpoints; secrets: EndpointSecrets; clock: Clock };

/** One endpoint per installation: the unique key makes a second delivery of the event change nothing. */
export const createEndpointWhenInstalled = ({ endpoints, secrets, clock }: Parts): Handlers => ({
  async 'installation.installed'({ id: causationId, tenantId, correlationId, data }) {
    const { id: installationId } = data.target;
    const { connectorId } = data.details;
    const collection = endpoints.in(tenantId);
    if (await collection.getByUnique('installation', installationId)) return;
    const cause = serviceCause('webhook-ingress', { correlationId, causationId });
    const createdAt = clock.now().toISOString();
    const form = { scheme: 'standard', signature: null } as const;
    const secretId = newId('secret');
    await secrets.create(tenantId, { id: secretId, ...form, given: undefined, field: 'secret' }, cause);
    const id = newId('endpoint');
    const live = [{ id: secretId, createdAt, expiresAt: null }];
    const endpoint = { ...defaultSettings, ...form, connectorId, installationId, secrets: live, createdAt };
    try {
      await collection.create(id, open(id, endpoint, 'installed'), cause);
    } catch (error) {
      if (!(error instanceof DuplicateKeyError)) throw error;
      await secrets.discard(tenantId, [secretId], cause);
    }
  },
});
