// webhook-ingress: what partners send. Nothing is believed before its signature is checked over the exact bytes, and
// nothing is accepted before it is durable. Every part is built and every route mounted here.
import {
  createApp,
  createFoundation,
  createTenantDirectory,
  diagnosticsRoutes,
  type Logger,
  type Service,
} from '@reeve/service-kit';
import { createVault, dataKeyRoutes, destroySecretsOfDeletedTenants, openKeyManagement } from '@reeve/vault';
import type { Config } from './config.ts';
import { contents } from './contents.ts';
import { type Deliveries, deliveries as deliveriesOf } from './deliveries/delivery.ts';
import { lanes as lanesOf } from './deliveries/lane.ts';
import { listDeadLetters } from './deliveries/list-dead-letters.ts';
import { listDeliveries } from './deliveries/list-deliveries.ts';
import { listSequences } from './deliveries/list-sequences.ts';
import { listTallies } from './deliveries/list-tallies.ts';
import { readDelivery } from './deliveries/read-delivery.ts';
import { receiveWebhook } from './deliveries/receive-webhook.ts';
import { replayDelivery } from './deliveries/replay-delivery.ts';
import { createDeliveryStore } from './deliveries/store-delivery.ts';
import { createTallies, tallies as talliesOf } from './deliveries/tallies.ts';
import { recoverDelivery, tendLanes } from './deliveries/tend-lanes.ts';
import { createEndpoint } from './endpoints/create-endpoint.ts';
import { createEndpointWhenInstalled } from './endpoints/create-endpoint-when-installed.ts';
import { disableEndpointWhenUninstalled } from './endpoints/disable-endpoint-when-uninstalled.ts';
import { endpoints as endpointsOf } from './endpoints/endpoint.ts';
import { createEndpointSecrets, secretUses as secretUsesOf } from './endpoints/endpoint-secrets.ts';
import { listEndpoints } from './endpoints/list-endpoints.ts';
import { readEndpoint } from './endpoints/read-endpoint.ts';
import { createReceivers } from './endpoints/receivers.ts';
import { rotateSecret } from './endpoints/rotate-secret.ts';
import { disableEndpoint, enableEndpoint } from './endpoints/switch-endpoint.ts';
import { testEndpoint } from './endpoints/test-endpoint.ts';
import { updateEndpoint } from './endpoints/update-endpoint.ts';
import { readSamples } from './samples/read-samples.ts';

export function createService(config: Config, log: Logger): Service {
  const keyManagement = openKeyManagement(config);
  const foundation = createFoundation('webhook-ingress', config, {
    log,
    contents,
    publishOnce: true,
    needs: keyManagement.assertUsable,
  });
  const { store, bus, verifyToken, ready } = foundation;
  const { clock } = store;
  const selfUrl = config.REEVE_SELF_URL;
  const onError = (error: unknown) => log.warn({ error }, 'will be tried again');
  const tenants = createTenantDirectory(store);
  const vault = createVault({ store, keys: keyManagement });
  const endpoints = store.collection(endpointsOf);
  const secretUses = store.collection(secretUsesOf);
  const lanes = store.collection(lanesOf);
  const tallyRows = store.collection(talliesOf);
  const deliveries: Deliveries = store.journal(deliveriesOf, (row, tenantId) =>
    recoverDelivery(lanesAtWork, row, tenantId),
  );
  const secrets = createEndpointSecrets({ vault, uses: secretUses });
  const limited = config.REEVE_RATE_LIMITS === 'on';
  const receivers = createReceivers({ endpoints, secretUses, vault, tenants, clock, limited });
  const deliveryStore = createDeliveryStore({ deliveries, lanes, clock });
  const lanesAtWork = { deliveries, lanes, receivers, deliveryStore, store, onError };
  const tallies = createTallies({ store, rows: tallyRows, onError });
  const workers = [tendLanes(lanesAtWork), tallies.closing];
  const fastLane = receiveWebhook({ receivers, deliveryStore, tallies, clock, log });
  const parts = { endpoints, secrets, receivers, clock, selfUrl };

  const app = createApp({
    name: 'webhook-ingress',
    purpose: "Takes partners' webhooks: verifies them, stores them once, and publishes them in order.",
    config,
    log,
    store,
    tenants,
    verifyToken,
    assertSignIn: foundation.assertSignIn,
    ready,
    fastLane,
    routes: [
      ...diagnosticsRoutes(foundation),
      fastLane.route,
      createEndpoint(parts),
      listEndpoints(parts),
      readEndpoint(parts),
      updateEndpoint(parts),
      rotateSecret(parts),
      disableEndpoint(parts),
      enableEndpoint(parts),
      testEndpoint({ ...parts, port: config.PORT }),
      readSamples(parts),
      listSequences({ endpoints, lanes }),
      listTallies({ endpoints, tallies: tallyRows }),
      listDeliveries({ endpoints, deliveries }),
      readDelivery({ deliveries }),
      replayDelivery({ deliveries, store }),
      listDeadLetters({ endpoints, deliveries }),
      ...dataKeyRoutes({ store, keys: keyManagement }),
    ],
  });

  return {
    app,
    ownSpans: '/hooks/',
    async start() {
      await foundation.start();
      await bus.subscribe('webhook-ingress.tenants', {
        ...tenants.handlers,
        ...destroySecretsOfDeletedTenants({ vault, service: 'webhook-ingress' }),
      });
      await bus.subscribe('webhook-ingress.endpoints', {
        ...createEndpointWhenInstalled(parts),
        ...disableEndpointWhenUninstalled(parts),
      });
      for (const one of workers) one.start();
    },
    async stop() {
      await Promise.all(workers.map(one => one.stop()));
      await foundation.stop();
    },
  };
}
