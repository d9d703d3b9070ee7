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
import { createGuardedNetwork } from '@reeve/service-kit/outbound';
import { createVault, localKeyFile } from '@reeve/vault';
import { defineAlerts } from './alerts/alert.ts';
import { createDetector } from './alerts/detector.ts';
import { listAlertRules, updateAlertRule } from './alerts/manage-alert-rules.ts';
import { acknowledgeAlert, listAlerts, readAlert } from './alerts/manage-alerts.ts';
import { openPlaces, type Places } from './alerts/places.ts';
import { defineRuleSettings } from './alerts/rule-settings.ts';
import { defineHeads, defineRecords } from './chains/chain-store.ts';
import { createChainWriter } from './chains/chain-writer.ts';
import { ingest, recordSetAside } from './chains/ingest.ts';
import { defineTombstones } from './chains/tombstones.ts';
import {
  defineCheckpointKeys,
  loadSigningKey,
  publicKeys,
  type SigningKey,
  servePublicKeys,
} from './checkpoints/checkpoint-keys.ts';
import { defineCheckpoints } from './checkpoints/checkpoint-store.ts';
import { createCheckpointer } from './checkpoints/checkpointer.ts';
import { proveEvent } from './checkpoints/prove-event.ts';
import { listCheckpoints, proveConsistency, readCheckpoint } from './checkpoints/read-checkpoints.ts';
import { defineTiles } from './checkpoints/record-tree.ts';
import type { Config } from './config.ts';
import { defineEvidence } from './evidence/evidence-package.ts';
import {
  createPackage,
  deletePackage,
  downloadPackage,
  listPackages,
  readPackage,
} from './evidence/manage-packages.ts';
import { createPackageBuilder } from './evidence/package-builder.ts';
import { exportEvents } from './exports/export-events.ts';
import { verifyLog } from './exports/verify-log.ts';
import { pullFeed } from './feed/pull-feed.ts';
import { defineDeletionRequests } from './removal/deletion-request.ts';
import { defineHolds } from './removal/legal-hold.ts';
import {
  cancelDeletionRequest,
  confirmDeletionRequest,
  createDeletionRequest,
  listDeletionRequests,
  readDeletionRequest,
} from './removal/manage-deletion-requests.ts';
import { listHolds, placeHold, releaseHold } from './removal/manage-holds.ts';
import { readRetention, updateRetention } from './removal/manage-retention.ts';
import { defineTurns } from './removal/removal-turn.ts';
import { createRemover } from './removal/remover.ts';
import { definePolicies } from './removal/retention-policy.ts';
import { auditedReading } from './search/audited-reading.ts';
import { explainEvent } from './search/explain-event.ts';
import { createView, deleteView, listViews, updateView } from './search/manage-views.ts';
import { readEvent } from './search/read-event.ts';
import { readTimeline } from './search/read-timeline.ts';
import { rebuildSearch } from './search/rebuild-search.ts';
import { defineSavedViews } from './search/saved-views.ts';
import { searchEvents } from './search/search-events.ts';
import {
  createSink,
  deleteSink,
  listSinks,
  pauseSink,
  readSink,
  replaySink,
  resumeSink,
  testSink,
  updateSink,
} from './sinks/manage-sinks.ts';
import { defineRuns, defineSinks } from './sinks/sink.ts';
import { createSinkRunner } from './sinks/sink-runner.ts';
import { crossOrigin, orViewer } from './viewers/accept-viewers.ts';
import { createViewerToken, listViewerTokens, revokeViewerToken } from './viewers/manage-viewer-tokens.ts';
import { defineViewers } from './viewers/viewer-token.ts';

const group = 'audit.chain';

export function createService(config: Config, log: Logger): Service {
  const foundation = createFoundation('audit', config, { log });
  const { store, bus } = foundation;
  const records = defineRecords(store);
  const tombstones = defineTombstones(store);
  const logs = { records, tombstones };
  const heads = defineHeads(store);
  const tenants = createTenantDirectory(store);
  const { clock } = store;
  const checkpoints = defineCheckpoints(store);
  const tiles = defineTiles(store);
  const views = defineSavedViews(store);
  const viewers = defineViewers(store);
  const sinks = defineSinks(store);
  const runs = defineRuns(store);
  const keys = defineCheckpointKeys(store);
  const vault = createVault({ store, keys: localKeyFile(config.REEVE_VAULT_KEY_FILE) });
  let loadedKey: SigningKey | undefined;
  const signingKey = () => {
    if (!loadedKey) throw new Error('the signing key is not loaded yet');
    return loadedKey;
  };
  const viewing = { viewers, signingKey, selfUrl: config.REEVE_SELF_URL, clock };
  const checkpointer = createCheckpointer({
    records,
    heads,
    checkpoints,
    signingKey,
    clock,
    intervalMs: config.REEVE_CHECKPOINT_SECONDS * 1_000,
    onError: error => log.warn({ error }, 'a checkpoint will be tried again'),
  });
  const network = createGuardedNetwork({
    allowedPrivateOrigins: config.REEVE_ALLOWED_PRIVATE_ORIGINS,
    timeoutMs: 20_000,
  });
  const pushing = { ...logs, heads, checkpoints, checkpointer, sinks, runs, vault, network, signingKey, clock };
  const sinkRunner = createSinkRunner({
    ...pushing,
    onError: error => log.warn({ error }, 'a sink will be tried again'),
  });
  const alerts = defineAlerts(store);
  let places: Places | null = null;
  const ruling = { settings: defineRuleSettings(store), places: () => places };
  const detector = createDetector({
    ...ruling,
    records,
    alerts,
    clock,
    onError: error => log.error({ error }, 'a rule could not look at a record'),
  });
  const removalDelayMs = config.REEVE_REMOVAL_DELAY_SECONDS * 1_000;
  const keeping = {
    ...logs,
    heads,
    policies: definePolicies(store),
    holds: defineHolds(store),
    requests: defineDeletionRequests(store),
    turns: defineTurns(store),
    checkpointer,
    signingKey,
    clock,
  };
  const remover = createRemover({
    ...keeping,
    intervalMs: config.REEVE_REMOVAL_SECONDS * 1_000,
    onError: error => log.warn({ error }, 'removal will be tried again'),
  });
  const evidencing = { evidence: defineEvidence(store), clock };
  const packageBuilder = createPackageBuilder({
    ...logs,
    ...evidencing,
    checkpoints,
    checkpointer,
    tiles,
    signingKey,
    publicKeys: () => publicKeys(keys),
    onError: error => log.warn({ error }, 'an evidence package could not be built'),
  });
  const removing = { ...keeping, remover, delayMs: removalDelayMs };
  const rememberMs = Math.min(30_000, removalDelayMs / 2);
  const writer = createChainWriter({ records, heads, clock, rememberMs, onAppended: checkpointer.grew });

  const app = createApp(
    {
      name: 'audit',
      config,
      log,
      store,
      tenants,
      verifyToken: orViewer(viewing, createTokenVerifier(config)),
      ready: foundation.ready,
    },
    {
      before: [servePublicKeys(keys), crossOrigin(viewing)],
      routes: [
        ...[
          searchEvents({ records, views, signingKey }),
          readEvent({ records, signingKey }),
          explainEvent({ records, signingKey }),
          readTimeline({ records, signingKey }),
          listAlerts({ alerts, clock }),
          readAlert({ alerts, clock }),
          proveEvent({ ...logs, tiles, checkpointer }),
          verifyLog({ ...logs, checkpointer, signingKey, clock, publicKeys: () => publicKeys(keys) }),
        ].map(auditedReading(store.recordFact)),
        auditedReading(store.recordFact, { everyMs: 3_600_000 })(pullFeed({ ...logs, heads, signingKey })),
        listSinks(pushing),
        readSink(pushing),
        createSink(pushing),
        updateSink(pushing),
        deleteSink(pushing),
        testSink(pushing),
        pauseSink(pushing),
        resumeSink(pushing),
        replaySink(pushing),
        acknowledgeAlert({ alerts, clock }),
        listAlertRules(ruling),
        updateAlertRule(ruling),
        listPackages(evidencing),
        createPackage(evidencing),
        readPackage(evidencing),
        downloadPackage({ ...evidencing, recordFact: store.recordFact }),
        deletePackage(evidencing),
        readRetention(removing),
        updateRetention(removing),
        listHolds(removing),
        placeHold(removing),
        releaseHold(removing),
        listDeletionRequests(removing),
        readDeletionRequest(removing),
        createDeletionRequest(removing),
        confirmDeletionRequest(removing),
        cancelDeletionRequest(removing),
        listViewerTokens(viewing),
        createViewerToken(viewing),
        revokeViewerToken(viewing),
        listViews({ views }),
        createView({ views }),
        updateView({ views }),
        deleteView({ views, clock }),
        rebuildSearch({ records, heads, recordFact: store.recordFact }),
        listCheckpoints({ checkpoints }),
        readCheckpoint({ checkpoints }),
        proveConsistency({ ...logs, checkpoints, tiles }),
        exportEvents({ ...logs, checkpoints, checkpointer, signingKey, clock, recordFact: store.recordFact }),
      ],
    },
  );

  return {
    app,
    async start() {
      await foundation.start();
      loadedKey = await loadSigningKey({ keys, vault });
      await checkpointer.start();
      sinkRunner.start();
      await remover.start();
      packageBuilder.start();
      await bus.subscribe('audit.tenants', tenants.handlers);
      if (config.REEVE_GEOIP_FILE !== undefined) places = await openPlaces(config.REEVE_GEOIP_FILE);
      const chaining = { writer, signingKey, publish: bus.publish, examine: detector.examine };
      await bus.consume({
        group,
        topics: auditedTopics,
        // While the store has the records of one, those of the next are hashed.
        partitionsAtOnce: 3,
        handleBatch: ingest(chaining),
        handleSetAside: recordSetAside(chaining, group),
      });
    },
    async stop() {
      await bus.stopConsuming();
      await Promise.all([checkpointer.stop(), sinkRunner.stop(), remover.stop(), packageBuilder.stop()]);
      await foundation.stop();
    },
  };
}
