import { newId, serviceCause } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import { type Clock, DuplicateKeyError } from '@reeve/store';
import { defaultSettings, type Endpoints, open } from './endpoint.ts';
import type { EndpointSecrets } from './endpoint-secrets.ts';

type Parts = { endpoints: Endpoints; secrets: EndpointSecrets; clock: Clock };

/** One endpoint per installation: the unique key makes a second delivery of the event change nothing. */
export const createEndpointWhenInstalled = ({ endpoints, secrets, clock }: Parts): Handlers => ({
  async 'installation.installed'({ id: causationId, tenantId, correlationId, data }) {
    const installationId = data.target.id ?? '';
    const collection = endpoints.in(tenantId);
    if (await collection.getByUnique('installation', installationId)) return;
    const cause = serviceCause('webhook-ingress', { correlationId, causationId });
    const createdAt = clock.now().toISOString();
    const form = { scheme: 'standard', signature: null } as const;
    const secret = await secrets.create(tenantId, { ...form, given: undefined, field: 'secret' }, cause);
    const id = newId('endpoint');
    const endpoint = {
      ...defaultSettings,
      ...form,
      connectorId: data.details.connectorId,
      installationId,
      secrets: [{ id: secret.id, createdAt, expiresAt: null }],
      createdAt,
    };
    try {
      await collection.create(id, open(id, endpoint, 'installed'), cause);
    } catch (error) {
      if (!(error instanceof DuplicateKeyError)) throw error;
    }
  },
});
