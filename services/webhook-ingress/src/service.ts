// webhook-ingress: what partners send. Nothing is believed before its signature is checked over the exact bytes, and nothing is accepted
// before it is durable. Every part is built and every slice mounted here.
import {
  createApp,
  createFoundation,
  createTenantDirectory,
  createTokenVerifier,
  type Logger,
  repeatedly,
  type Service,
} from '@reeve/service-kit';
import { createVault, localKeyFile } from '@reeve/vault';
import type { Config } from './config.ts';
import { readDeadLetters } from './deliveries/dead-letters.ts';
import { defineDeliveries } from './deliveries/delivery.ts';
import { createLanes, defineLanes } from './deliveries/lanes.ts';
import { createLimits } from './deliveries/limits.ts';
import { listDeliveries, readDelivery } from './deliveries/read-deliveries.ts';
import { readLanes, readTallies } from './deliveries/read-statistics.ts';
import { receiveWebhook } from './deliveries/receive-webhook.ts';
import { replayDelivery } from './deliveries/replay-delivery.ts';
import { createTallies, defineTallies } from './deliveries/tallies.ts';
import { testEndpoint } from './deliveries/test-endpoint.ts';
import { createEndpoint } from './endpoints/create-endpoint.ts';
import { createEndpointWhenInstalled } from './endpoints/create-endpoint-when-installed.ts';
import { disableEndpointWhenUninstalled } from './endpoints/disable-endpoint-when-uninstalled.ts';
import { defineEndpoints } from './endpoints/endpoint.ts';
import { createEndpointSecrets } from './endpoints/endpoint-secrets.ts';
import { listEndpoints, readEndpoint } from './endpoints/read-endpoints.ts';
import { createReceivers } from './endpoints/receivers.ts';
import { rotateSecret } from './endpoints/rotate-secret.ts';
import { disableEndpoint, enableEndpoint } from './endpoints/switch-endpoint.ts';
import { updateEndpoint } from './endpoints/update-endpoint.ts';
import { readSamples } from './samples/read-samples.ts';

const tendEveryMs = 500;

export function createService(config: Config, log: Logger): Service {
  const foundation = createFoundation('webhook-ingress', config, { log, publishOnce: true });
  const { store, bus } = foundation;
  const { clock } = store;
  const vault = createVault({ store, keys: localKeyFile(config.REEVE_VAULT_KEY_FILE) });
  const tenants = createTenantDirectory(store);
  const endpoints = defineEndpoints(store);
  const secrets = createEndpointSecrets({ vault, store });
  const receivers = createReceivers({ endpoints, secrets, tenants, clock });
  const tallyRows = defineTallies(store);
  const tallies = createTallies({ store, tallies: tallyRows });
  // Deliveries and lanes need one another: a lane releases rows, and a row whose writer was lost is recovered by its lane.
  const lanes = createLanes({ store, lanes: defineLanes(store), deliveries: () => deliveries, receivers });
  const deliveries = defineDeliveries(store, (row, tenantId) => lanes.recover(row, tenantId));
  const limits = createLimits(config.REEVE_RATE_LIMITS === 'on');
  const parts = { endpoints, secrets, receivers, clock, selfUrl: config.REEVE_SELF_URL };
  const onError = (error: unknown) => log.warn({ error }, 'will be tried again');
  const tending = [repeatedly(lanes.tend, tendEveryMs, onError), repeatedly(tallies.close, tendEveryMs, onError)];

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
      ahead: [receiveWebhook({ receivers, secrets, deliveries, lanes, tallies, limits, clock, log })],
      routes: [
        createEndpoint(parts),
        listEndpoints(parts),
        readEndpoint(parts),
        updateEndpoint(parts),
        rotateSecret(parts),
        disableEndpoint(parts),
        enableEndpoint(parts),
        testEndpoint({ ...parts, port: config.PORT }),
        readSamples(parts),
        readLanes({ endpoints, lanes }),
        readTallies({ endpoints, tallies: tallyRows }),
        listDeliveries({ endpoints, deliveries }),
        readDelivery({ deliveries }),
        replayDelivery({ deliveries, store }),
        readDeadLetters({ endpoints, deliveries }),
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
        ...disableEndpointWhenUninstalled(parts),
      });
      for (const work of tending) work.start();
    },
    async stop() {
      await Promise.all(tending.map(work => work.stop()));
      await foundation.stop();
    },
  };
}
