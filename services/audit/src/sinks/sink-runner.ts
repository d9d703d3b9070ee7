// Delivers what is new to every sink of every tenant, in turns. A run is leased while one instance works on it; its position moves only when a batch is where it
// should be, so after a crash the last batch may come a second time and none is left out.
import { createHash, randomUUID } from 'node:crypto';
import { metrics } from '@opentelemetry/api';
import { type FormatName, formats, hashOfStatement } from '@reeve/audit-log';
import { because, type EventDraft, newEventId, serviceCause, type TenantId } from '@reeve/contracts';
import { repeatedly } from '@reeve/service-kit';
import type { GuardedNetwork } from '@reeve/service-kit/outbound';
import type { Clock } from '@reeve/store';
import type { Vault } from '@reeve/vault';
import { LRUCache } from 'lru-cache';
import { fromStored, type Heads } from '../chains/chain-store.ts';
import type { Logs, Step } from '../chains/read-chain.ts';
import { changeAsService } from '../change-as-service.ts';
import type { SigningKey } from '../checkpoints/checkpoint-keys.ts';
import { type Checkpoints, lastCheckpoint } from '../checkpoints/checkpoint-store.ts';
import type { Checkpointer } from '../checkpoints/checkpointer.ts';
import { type Position, readAfter } from '../feed/read-after.ts';
import { deliverElasticsearch } from './deliver-elasticsearch.ts';
import { deliverHttps } from './deliver-https.ts';
import { deliverKafka } from './deliver-kafka.ts';
import { deliverS3 } from './deliver-s3.ts';
import { deliverSplunkHec } from './deliver-splunk-hec.ts';
import { deliverSyslogTls } from './deliver-syslog-tls.ts';
import { type Batch, type Deliver, type Delivered, SinkError } from './delivery.ts';
import { nextHour } from './hourly-objects.ts';
import {
  afterDelivery,
  afterFailure,
  lease,
  type Run,
  type Runs,
  type Sink,
  type SinkFailure,
  type Sinks,
  type Target,
  takesChain,
  takesType,
  tellAfter,
} from './sink.ts';

export type SinkParts = Logs & {
  heads: Heads;
  checkpoints: Checkpoints;
  checkpointer: Pick<Checkpointer, 'sign'>;
  sinks: Sinks;
  runs: Runs;
  vault: Vault;
  network: GuardedNetwork;
  signingKey: () => SigningKey;
  clock: Clock;
};

type Parts = SinkParts & { onError: (error: unknown) => void };

const deliverTo = {
  https: deliverHttps,
  splunk_hec: deliverSplunkHec,
  elasticsearch: deliverElasticsearch,
  syslog_tls: deliverSyslogTls,
  kafka: deliverKafka,
  s3: deliverS3,
} as const satisfies { [K in Target['kind']]: unknown };

const leaseMs = 90_000;
const lookEveryMs = 500;
const idleMs = 2_000;
const sinksAtOnce = 8;
const batchesPerTurn = 20;
const longestBatchBytes = 1_000_000;
const credentialKeptMs = 3_600_000;
/** Of an object, for each record of a batch: 20,000 unless the store finds that too large. */
const placesPerObject = 40;

/** `count` records, or more where statements go along. */
type Next = {
  batch: Batch;
  count: number;
  position: Position;
  checkpoint: number;
  found: Step[];
  waitMs: number;
};

const meter = metrics.getMeter('@reeve/audit');
const lag = meter.createGauge('reeve.audit.sink.lag', {
  unit: 's',
  description: 'Age of the oldest record that a sink has not got',
});
const sent = meter.createCounter('reeve.audit.sink.delivered', { description: 'Records delivered to sinks' });
const failures = meter.createCounter('reeve.audit.sink.failures', { description: 'Batches that a sink did not take' });

const formatsOf = { splunk_hec: 'hec', elasticsearch: 'ecs', syslog_tls: 'syslog', s3: 'ndjson' } as const;

export const formatOf = (target: Target): FormatName =>
  target.kind === 'https' || target.kind === 'kafka' ? target.format : formatsOf[target.kind];

export const sinkEvent = <T extends 'sink.created' | 'sink.updated' | 'sink.paused' | 'sink.resumed' | 'sink.deleted'>(
  type: T,
  id: string,
  { name, target }: Sink,
): EventDraft<T> =>
  ({
    type,
    target: { type: 'sink', id, name },
    outcome: 'success',
    reason: because('requested'),
    details: { kind: target.kind },
  }) as EventDraft<T>;

export function deliver(
  network: GuardedNetwork,
  { target, credential }: { target: Target; credential: string | null },
  batch: Batch,
): Promise<Delivered> {
  return (deliverTo[target.kind] as Deliver<Target>)(network, { target, credential }, batch);
}

/** Whether there is a secret to be used with it. */
export const takesCredential = (target: Target): boolean =>
  target.kind !== 'syslog_tls' && !(target.kind === 'kafka' && target.sasl === null);

export const credentialRef = (sinkId: string) => ({ secretClass: 'sink', id: sinkId });

export function createSinkRunner(parts: Parts) {
  const { checkpoints, sinks, runs, vault, network, signingKey, clock, onError } = parts;
  const holder = randomUUID();
  const cause = () => serviceCause('audit', { correlationId: newEventId() });
  const credentials = new LRUCache<string, { version: number; value: string }>({ max: 10_000, ttl: credentialKeptMs });
  const working = new Set<Promise<void>>();
  const rounds = repeatedly(look, lookEveryMs, onError);

  /** Read once an hour: each read is a record, and a record is what sinks deliver. */
  async function credentialOf(
    tenantId: TenantId,
    id: string,
    version: number,
    { target }: Sink,
  ): Promise<string | null> {
    if (!takesCredential(target)) return null;
    const key = `${tenantId} ${id}`;
    const known = credentials.get(key);
    if (known?.version === version) return known.value;
    const access = { cause: cause(), purpose: 'deliver the audit log' };
    const value = (await vault.read(tenantId, credentialRef(id), access)).toString('utf8');
    credentials.set(key, { version, value });
    return value;
  }

  /** What comes next, and how long to wait before anything comes. */
  async function next(tenantId: TenantId, run: Run, sink: Sink): Promise<Next> {
    if (sink.target.kind !== 's3') return nextBatch(tenantId, run, sink);
    const most = run.batchSize * placesPerObject;
    const hour = await nextHour(parts, { tenantId, position: run.position, most });
    const batch = { id: `hour_${tenantId}`, tenantId, lines: [] };
    const { position, checkpoint } = run;
    if (!hour) return { batch, count: 0, position, checkpoint, found: [], waitMs: idleMs };
    if ('waitMs' in hour) return { batch, count: 0, position, checkpoint, found: hour.found, waitMs: hour.waitMs };
    const { objects, records: count, found } = hour;
    return { batch: { ...batch, objects }, count, position: hour.position, checkpoint, found, waitMs: 0 };
  }

  /** Records up to the size of a batch; behind them, when all of it is there, the checkpoint that says so. */
  async function nextBatch(tenantId: TenantId, run: Run, sink: Sink): Promise<Next> {
    const takes = (chain: string) => takesChain(sink, chain);
    const { found } = await readAfter(parts, { tenantId, position: run.position, limit: run.batchSize, takes });
    const { writeRecord, writeStatement } = formats[formatOf(sink.target)];
    const keyId = signingKey().kid;
    const lines: { id: string; text: string }[] = [];
    const position: Record<string, number> = { ...run.position };
    let bytes = 0;
    for (const { chain, sequence, record, statements = [] } of found) {
      const more = [];
      if (record && takesType(sink, record.type)) {
        const chained = fromStored(record);
        more.push({ id: chained.record.eventId, text: writeRecord(chained, keyId) });
      }
      if (!sink.types) for (const jws of statements) more.push({ id: hashOfStatement(jws), text: writeStatement(jws) });
      bytes += more.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
      if (bytes > longestBatchBytes && lines.length > 0) break;
      lines.push(...more);
      position[chain] = sequence;
    }
    let { checkpoint } = run;
    const last = !sink.types && found.length < run.batchSize ? await lastCheckpoint(checkpoints, tenantId) : null;
    const covered = last?.content.chains.every(({ chain, size }) => (position[chain] ?? 0) >= size);
    if (last && covered && last.number > run.checkpoint) {
      checkpoint = last.number;
      lines.push({ id: `checkpoint-${tenantId}-${last.number}`, text: writeStatement(last.jws) });
    }
    const id = `msg_${createHash('sha256')
      .update(lines.map(line => line.id).join('\n'))
      .digest('hex')
      .slice(0, 32)}`;
    const waitMs = lines.length === 0 && found.length === 0 ? idleMs : 0;
    return { batch: { id, tenantId, lines }, count: lines.length, position, checkpoint, found, waitMs };
  }

  const change = (tenantId: TenantId, id: string, next: (run: Run) => Run | null, events?: readonly EventDraft[]) =>
    changeAsService(runs, { tenantId, id }, next, events);

  const mine = (run: Run) => run.lease?.holder === holder;

  async function fail(tenantId: TenantId, id: string, sink: Sink, error: unknown) {
    if (!(error instanceof SinkError)) onError(error);
    const {
      code,
      message: detail,
      retryAfterMs,
    } = error instanceof SinkError ? error : new SinkError('protocol', 'an error of Reeve’s own; see its log');
    failures.add(1, { kind: sink.target.kind, code });
    const now = clock.now();
    const failure: SinkFailure = { code, detail, at: now.toISOString() };
    const current = await runs.in(tenantId).get(id);
    const tooLarge = code === 'too_large' && (current?.state.batchSize ?? 1) > 1;
    const events = current?.state.attempts === tellAfter - 1 ? [failed(id, sink, { code, refused: [] })] : [];
    const next = (run: Run) =>
      mine(run) ? afterFailure(run, { failure, retryAfterMs, tooLarge, now, jitter: Math.random() }) : null;
    await change(tenantId, id, next, events);
  }

  /** One sink's turn: batches until there is nothing new, or others have waited long enough. */
  async function work(tenantId: TenantId, id: string) {
    const taken = await change(tenantId, id, run => lease(run, { holder, now: clock.now(), forMs: leaseMs }));
    if (!taken || !mine(taken)) return;
    const entry = await sinks.in(tenantId).get(id);
    if (!entry) {
      // Removed, or never finished being made.
      await vault.destroy(tenantId, credentialRef(id), cause());
      return runs.in(tenantId).remove(id);
    }
    const { state: sink, version } = entry;
    let run = taken;
    let waitMs = 0;
    try {
      const credential = await credentialOf(tenantId, id, version, sink);
      for (let turn = 0; turn < batchesPerTurn && !rounds.isStopped(); turn += 1) {
        const { batch, count, position, checkpoint, found, waitMs: wait } = await next(tenantId, run, sink);
        const [oldest] = found;
        const lagMs = oldest ? Math.max(0, clock.now().getTime() - Date.parse(oldest.loggedAt)) : 0;
        lag.record(lagMs / 1_000, { sink: id });
        if (wait > 0) {
          waitMs = wait;
          break;
        }
        const isEmpty = batch.lines.length === 0 && batch.objects === undefined;
        const { refused } = isEmpty
          ? { refused: [] }
          : await deliver(network, { target: sink.target, credential }, batch);
        sent.add(count - refused.length, { kind: sink.target.kind });
        const now = clock.now();
        const counts = { delivered: count - refused.length, refused: refused.length };
        const moved = (before: Run) => {
          // Paused or replayed meanwhile, or taken over: whoever has it now goes by what stands there.
          if (!mine(before) || JSON.stringify(before.position) !== JSON.stringify(run.position)) return null;
          return lease(afterDelivery(before, { position, checkpoint, ...counts, now }), {
            holder,
            now,
            forMs: leaseMs,
          });
        };
        // Of a receiver that refuses everything, also what tells of that: nobody is told of it again.
        const ownFailures = new Set(
          found.flatMap(({ record }) => (record?.type === 'sink.failed' ? [fromStored(record).record.eventId] : [])),
        );
        const events = refused.every(one => ownFailures.has(one.id))
          ? []
          : [failed(id, sink, { code: 'record_refused', refused: refused.slice(0, 20).map(one => one.id) })];
        const saved = await change(tenantId, id, moved, events);
        if (!saved || !mine(saved)) return;
        run = saved;
      }
      const dueAt = new Date(clock.now().getTime() + waitMs).toISOString();
      await change(tenantId, id, before => (mine(before) ? { ...before, lease: null, dueAt } : null));
    } catch (error) {
      await fail(tenantId, id, sink, error);
    }
  }

  async function look() {
    const free = sinksAtOnce - working.size;
    if (free <= 0) return;
    const due = await runs.acrossTenants('the sinks of all tenants take turns').due(free);
    for (const { tenantId, id } of due) {
      const turn: Promise<void> = work(tenantId, id)
        .then(undefined, onError)
        .finally(() => working.delete(turn));
      working.add(turn);
    }
  }

  return {
    start: rounds.start,

    /** Lets what is under way end, so that it is not delivered twice. */
    async stop(): Promise<void> {
      await rounds.stop();
      await Promise.all(working);
    },
  };
}

function failed(
  id: string,
  { name, target }: Sink,
  details: { code: string; refused: string[] },
): EventDraft<'sink.failed'> {
  return {
    type: 'sink.failed',
    target: { type: 'sink', id, name },
    outcome: 'failure',
    reason: because(details.code),
    details: { kind: target.kind, ...details },
  };
}
