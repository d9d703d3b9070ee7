// audit: chains every identity event per tenant, and lets it be searched, exported and verified. Every part is built
// and every route mounted here.
import {
  createApp,
  createFoundation,
  createGiveWay,
  createTenantDirectory,
  diagnosticsRoutes,
  type Logger,
  type Service,
} from '@reeve/service-kit';
import { createGuardedNetwork, insideFor } from '@reeve/service-kit/outbound';
import { openPlaces, type Places } from '@reeve/service-kit/places';
import { createVault, dataKeyRoutes, destroySecretsOfDeletedTenants, openKeyManagement } from '@reeve/vault';
import { acknowledgeAlert } from './alerts/acknowledge-alert.ts';
import { alerts as alertsOf } from './alerts/alert.ts';
import { createDetector } from './alerts/detector.ts';
import { listAlertRules } from './alerts/list-alert-rules.ts';
import { listAlerts } from './alerts/list-alerts.ts';
import { readAlert } from './alerts/read-alert.ts';
import { ruleSettings } from './alerts/rule-settings.ts';
import { updateAlertRule } from './alerts/update-alert-rule.ts';
import type { Config } from './config.ts';
import { contents } from './contents.ts';
import { createPackage } from './evidence/create-package.ts';
import { deletePackage } from './evidence/delete-package.ts';
import { downloadPackage } from './evidence/download-package.ts';
import { openEvidence } from './evidence/evidence-package.ts';
import { listPackages } from './evidence/list-packages.ts';
import { createPackageBuilder } from './evidence/package-builder.ts';
import { readPackage } from './evidence/read-package.ts';
import { exportEvents } from './exports/export-events.ts';
import { verifyLog } from './exports/verify-log.ts';
import { pullFeed } from './feed/pull-feed.ts';
import { fewAtOnce } from './few-at-once.ts';
import { ingest } from './ingest/ingest.ts';
import { createChainWriter } from './log/chain-writer.ts';
import { createCheckpointer } from './log/checkpointer.ts';
import { openLog } from './log/log.ts';
import { recoverCheckpoints } from './log/recover-checkpoints.ts';
import { createSigningKeys } from './log/signing-key.ts';
import { listCheckpoints } from './proofs/list-checkpoints.ts';
import { proveConsistency } from './proofs/prove-consistency.ts';
import { proveEvent } from './proofs/prove-event.ts';
import { readCheckpoint } from './proofs/read-checkpoint.ts';
import { readPublicKeys } from './proofs/read-public-keys.ts';
import { listSigningKeys, rotateSigningKey } from './proofs/rotate-signing-key.ts';
import { cancelDeletionRequest } from './removal/cancel-deletion-request.ts';
import { confirmDeletionRequest } from './removal/confirm-deletion-request.ts';
import { createDeletionRequest } from './removal/create-deletion-request.ts';
import { deletionRequests } from './removal/deletion-request.ts';
import { holds as holdsOf } from './removal/legal-hold.ts';
import { listDeletionRequests } from './removal/list-deletion-requests.ts';
import { listHolds } from './removal/list-holds.ts';
import { placeHold } from './removal/place-hold.ts';
import { readDeletionRequest } from './removal/read-deletion-request.ts';
import { readRetention } from './removal/read-retention.ts';
import { releaseHold } from './removal/release-hold.ts';
import { turns as turnsOf } from './removal/removal-turn.ts';
import { createRemover } from './removal/remover.ts';
import { policies as policiesOf } from './removal/retention-policy.ts';
import { updateRetention } from './removal/update-retention.ts';
import { createView } from './search/create-view.ts';
import { deleteView } from './search/delete-view.ts';
import { explainEvent } from './search/explain-event.ts';
import { listViews } from './search/list-views.ts';
import { readEvent } from './search/read-event.ts';
import { readTimeline } from './search/read-timeline.ts';
import { rebuildSearch } from './search/rebuild-search.ts';
import { recordReading } from './search/record-reading.ts';
import { savedViews } from './search/saved-view.ts';
import { searchEvents } from './search/search-events.ts';
import { updateView } from './search/update-view.ts';
import { createSink } from './sinks/create-sink.ts';
import { deleteSink } from './sinks/delete-sink.ts';
import { createIsolatedProcesses } from './sinks/isolation/isolated-processes.ts';
import { listSinks } from './sinks/list-sinks.ts';
import { readSink } from './sinks/read-sink.ts';
import { replaySink } from './sinks/replay-sink.ts';
import { runs as runsOf } from './sinks/run.ts';
import { sinks as sinksOf } from './sinks/sink.ts';
import { createSinkRunner } from './sinks/sink-runner.ts';
import { pauseSink, resumeSink } from './sinks/switch-sink.ts';
import { testSink } from './sinks/test-sink.ts';
import { updateSink } from './sinks/update-sink.ts';
import { createViewerToken } from './viewers/create-viewer-token.ts';
import { endViewerTokensWhenMakersEnd } from './viewers/end-viewer-tokens-when-makers-end.ts';
import { listViewerTokens } from './viewers/list-viewer-tokens.ts';
import { makerEnds as makerEndsOf } from './viewers/maker-end.ts';
import { revokeViewerToken } from './viewers/revoke-viewer-token.ts';
import { orViewer, viewers as viewersOf } from './viewers/viewer-token.ts';

const receiverTimeoutMs = 20_000;
const hourMs = 3_600_000;
const longestRememberedMs = 30_000;
const wholeLog = { ofOneTenant: 1, inAll: 4 };
/** They take as long as their readers do. */
const streams = { ofOneTenant: 4, inAll: 100 };
/** Most of them only wait for something new: those of one tenant take nothing from another. */
const pulls = { ofOneTenant: 4 };

export function createService(config: Config, logger: Logger): Service {
  const keyManagement = openKeyManagement(config);
  const foundation = createFoundation('audit', config, { log: logger, contents, needs: keyManagement.assertUsable });
  const { store, bus, ready } = foundation;
  const { clock, recordFact } = store;
  const tenants = createTenantDirectory(store);
  const vault = createVault({ store, keys: keyManagement });
  const keys = createSigningKeys({ store, vault });
  let watchingKeys: ReturnType<typeof keys.watch> | undefined;
  const log = openLog(store, keys.current);
  const views = store.collection(savedViews);
  const alerts = store.collection(alertsOf);
  const settings = store.collection(ruleSettings);
  const policies = store.collection(policiesOf);
  const holds = store.collection(holdsOf);
  const requests = store.collection(deletionRequests);
  const turns = store.collection(turnsOf);
  const evidence = openEvidence(store);
  const requestsFirst = createGiveWay();
  const giveWay = requestsFirst.toRequests;
  const warn = (message: string) => (error: unknown) => logger.warn({ error }, message);

  const checkpointer = createCheckpointer({
    ...log,
    intervalMs: config.REEVE_CHECKPOINT_SECONDS * 1_000,
    giveWay,
    onError: warn('a checkpoint will be tried again'),
  });
  const network = createGuardedNetwork({
    ...insideFor(config, 'sinks'),
    timeoutMs: receiverTimeoutMs,
  });
  const processes = createIsolatedProcesses({
    onError: warn('a sink’s receiver ended the process that spoke to it'),
  });
  const sinks = {
    ...log,
    network,
    processes,
    checkpointer,
    sinks: store.collection(sinksOf),
    runs: store.collection(runsOf),
    vault,
  };
  const sinkRunner = createSinkRunner({ ...sinks, onError: warn('a sink will be tried again') });
  let places: Places | null = null;
  const rules = { settings, places: () => places };
  const detector = createDetector({
    ...rules,
    records: log.records,
    alerts,
    clock,
    onError: error => logger.error({ error }, 'a rule could not look at a record'),
  });
  const delayMs = config.REEVE_REMOVAL_DELAY_SECONDS * 1_000;
  const remover = createRemover({
    ...log,
    policies,
    holds,
    requests,
    turns,
    checkpointer,
    intervalMs: config.REEVE_REMOVAL_SECONDS * 1_000,
    giveWay,
    onError: warn('removal will be tried again'),
  });
  const packageBuilder = createPackageBuilder({
    ...log,
    ...evidence,
    checkpointer,
    keys,
    giveWay,
    onError: warn('an evidence package could not be built'),
  });
  const writer = createChainWriter({
    ...log,
    rememberMs: Math.min(longestRememberedMs, delayMs / 2),
    onAppended: checkpointer.grew,
  });
  const viewers = {
    viewers: store.collection(viewersOf),
    makerEnds: store.collection(makerEndsOf),
    signingKey: keys.current,
    trustedKey: keys.trusted,
    selfUrl: config.REEVE_SELF_URL,
    clock,
  };

  const recorded = recordReading(recordFact);
  const limited = fewAtOnce(requestsFirst);
  const app = createApp({
    name: 'audit',
    purpose: 'The audit log of every tenant: chained, signed, searched, exported, pushed to where it is wanted.',
    config,
    log: logger,
    store,
    tenants,
    verifyToken: orViewer(viewers, foundation.verifyToken),
    assertSignIn: foundation.assertSignIn,
    ready,
    giveWay: requestsFirst,
    routes: [
      ...diagnosticsRoutes(foundation, network),
      recorded(searchEvents({ ...log, views })),
      recorded(readEvent(log)),
      recorded(explainEvent(log)),
      recorded(readTimeline(log)),
      recorded(proveEvent({ ...log, checkpointer })),
      limited(wholeLog)(recorded(verifyLog({ ...log, checkpointer, keys, giveWay }))),
      limited(pulls)(recordReading(recordFact, { everyMs: hourMs })(pullFeed({ ...log, giveWay }))),
      limited(streams)(exportEvents({ ...log, checkpointer, recordFact })),
      limited(wholeLog)(rebuildSearch({ ...log, recordFact, giveWay })),
      listViews({ views }),
      createView({ views }),
      updateView({ views }),
      deleteView({ views, clock }),
      listCheckpoints(log),
      readCheckpoint(log),
      proveConsistency(log),
      readPublicKeys({ keys }),
      listSigningKeys({ keys }),
      rotateSigningKey({ keys }),
      recorded(listAlerts({ alerts })),
      recorded(readAlert({ alerts })),
      acknowledgeAlert({ alerts, clock }),
      listAlertRules(rules),
      updateAlertRule(rules),
      listSinks(sinks),
      readSink(sinks),
      createSink(sinks),
      updateSink(sinks),
      deleteSink(sinks),
      testSink(sinks),
      pauseSink(sinks),
      resumeSink(sinks),
      replaySink(sinks),
      listPackages(evidence),
      createPackage({ ...evidence, clock }),
      readPackage(evidence),
      downloadPackage({ ...evidence, recordFact }),
      deletePackage({ ...evidence, clock }),
      readRetention({ ...log, policies }),
      updateRetention({ ...log, policies, turns, delayMs }),
      listHolds({ holds }),
      placeHold({ holds, turns, clock }),
      releaseHold({ holds, turns, clock }),
      listDeletionRequests({ requests }),
      readDeletionRequest({ ...log, requests }),
      createDeletionRequest({ ...log, requests }),
      confirmDeletionRequest({ requests, turns, delayMs, clock }),
      cancelDeletionRequest({ requests, turns, clock }),
      listViewerTokens(viewers),
      createViewerToken(viewers),
      revokeViewerToken(viewers),
      ...dataKeyRoutes({ store, keys: keyManagement }),
    ],
  });

  return {
    app,
    async start() {
      await foundation.start();
      await keys.load();
      watchingKeys = keys.watch(warn('the signing keys could not be read; those of before go on'));
      await foundation.restored.once('what was signed since the backup', async since => {
        const onRefused = (problem: object) =>
          logger.error(problem, 'a checkpoint of before the restore was not taken');
        const parts = { ...log, bus, keys: await keys.published(), onRefused };
        const recovered = await recoverCheckpoints(parts, since);
        logger.info({ recovered }, 'checkpoints that were signed since the backup are back');
        return true;
      });
      await checkpointer.start();
      sinkRunner.start();
      remover.start();
      packageBuilder.start();
      await bus.subscribe('audit.tenants', {
        ...tenants.handlers,
        ...destroySecretsOfDeletedTenants({ vault, service: 'audit' }),
      });
      await bus.subscribe('audit.viewers', endViewerTokensWhenMakersEnd(viewers));
      if (config.REEVE_GEOIP_FILE !== undefined) places = await openPlaces(config.REEVE_GEOIP_FILE);
      const { publish } = bus;
      await bus.consume(ingest({ writer, signingKey: keys.current, publish, examine: detector.examine, giveWay }));
    },
    async stop() {
      await bus.stopConsuming();
      const working = [checkpointer, sinkRunner, remover, packageBuilder, ...(watchingKeys ? [watchingKeys] : [])];
      await Promise.all(working.map(one => one.stop()));
      processes.stop();
      await foundation.stop();
    },
  };
}
