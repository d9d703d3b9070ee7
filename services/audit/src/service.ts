// audit: chains every identity event per tenant, and lets it be searched, exported and verified. Every part is built and every slice mounted here.
import { auditedTopics } from '@reeve/contracts';
import {
  createApp,
  createFoundation,
  createTenantDirectory,
  createTokenVerifier,
  type Logger,
  type Service,
} from '@reeve/service-kit';
import { defineHeads, defineRecords } from './chains/chain-store.ts';
import { createChainWriter } from './chains/chain-writer.ts';
import { ingest } from './chains/ingest.ts';
import type { Config } from './config.ts';
import { exportEvents } from './events/export-events.ts';
import { readEvent } from './events/read-event.ts';
import { searchEvents } from './events/search-events.ts';
import { verifyLog } from './events/verify-log.ts';

export function createService(config: Config, log: Logger): Service {
  const foundation = createFoundation('audit', config, { log });
  const { store, bus } = foundation;
  const records = defineRecords(store);
  const heads = defineHeads(store);
  const tenants = createTenantDirectory(store);
  const writer = createChainWriter({ records, heads, clock: store.clock });

  const app = createApp(
    {
      name: 'audit',
      config,
      log,
      store,
      tenants,
      verifyToken: createTokenVerifier(config),
      ready: foundation.ready,
    },
    {
      routes: [
        searchEvents({ records }),
        readEvent({ records }),
        exportEvents({ records, heads, recordFact: store.recordFact }),
        verifyLog({ records, heads }),
      ],
    },
  );

  return {
    app,
    async start() {
      await foundation.start();
      await bus.subscribe('audit.tenants', tenants.handlers);
      await bus.consume({
        group: 'audit.chain',
        topics: auditedTopics,
        handleBatch: ingest({ writer, publish: bus.publish }),
      });
    },
    stop: foundation.stop,
  };
}
