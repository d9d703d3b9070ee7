// webhook-ingress: what partners send. Nothing is believed before its signature is checked over the exact bytes, and nothing is accepted
// before it is durable. Every part is built and every slice mounted here.
import {
  createApp,
  createFoundation,
  createTenantDirectory,
  createTokenVerifier,
  type Logger,
  type Service,
} from '@reeve/service-kit';
import { createVault, localKeyFile } from '@reeve/vault';
import type { Config } from './config.ts';
import { defineDeliveries } from './deliveries/delivery.ts';
import { listDeliveries } from './deliveries/list-deliveries.ts';
import { receiveWebhook } from './deliveries/receive-webhook.ts';
import { createEndpoint } from './endpoints/create-endpoint.ts';
import { createEndpointWhenInstalled } from './endpoints/create-endpoint-when-installed.ts';
import { disableEndpointWhenUninstalled } from './endpoints/disable-endpoint-when-uninstalled.ts';
import { defineEndpoints } from './endpoints/endpoint.ts';
import { createEndpointSecrets } from './endpoints/endpoint-secrets.ts';
import { listEndpoints } from './endpoints/list-endpoints.ts';
import { rotateSecret } from './endpoints/rotate-secret.ts';
import { disableEndpoint, enableEndpoint } from './endpoints/switch-endpoint.ts';

export function createService(config: Config, log: Logger): Service {
  const foundation = createFoundation('webhook-ingress', config, log);
  const { store, bus } = foundation;
  const vault = createVault({ store, keys: localKeyFile(config.REEVE_VAULT_KEY_FILE) });
  const tenants = createTenantDirectory(store);
  const endpoints = defineEndpoints(store);
  const deliveries = defineDeliveries(store);
  const secrets = createEndpointSecrets({ vault });
  const parts = { endpoints, secrets, clock: store.clock, selfUrl: config.REEVE_SELF_URL };

  const app = createApp(
    {
      name: 'webhook-ingress',
      config,
      log,
      store,
      tenants,
      verifyToken: createTokenVerifier(config),
      ready: foundation.ready,
    },
    {
      before: [receiveWebhook({ endpoints, deliveries, secrets, recordFact: store.recordFact, clock: store.clock })],
      routes: [
        createEndpoint(parts),
        listEndpoints(parts),
        rotateSecret(parts),
        disableEndpoint(parts),
        enableEndpoint(parts),
        listDeliveries({ deliveries }),
      ],
    },
  );

  return {
    app,
    async start() {
      await foundation.start();
      await bus.subscribe('webhook-ingress.tenants', tenants.handlers);
      await bus.subscribe('webhook-ingress.endpoints', {
        ...createEndpointWhenInstalled(parts),
        ...disableEndpointWhenUninstalled({ endpoints }),
      });
    },
    stop: foundation.stop,
  };
}
