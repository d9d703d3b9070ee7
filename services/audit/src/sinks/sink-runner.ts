// Delivers what is new to every sink of every tenant. A run is leased while one instance works on it; its position
// moves only when a batch is where it should be, so after a crash the last batch may come a second time and none is
// left out.
import { metrics, type ObservableCallback } from '@opentelemetry/api';
import { type Id, newEventId, serviceCause, type TenantId } from '@reeve/contracts';
import { type Held, leased, worker } from '@reeve/service-kit';
import { LRUCache } from 'lru-cache';
import { fromStored } from '../log/record.ts';
import { SinkError } from './kinds/delivery.ts';
import { kindOf } from './kinds/registry.ts';
import { type Next, nextFor } from './next-batch.ts';
import { afterDelivery, afterFailure, type Run, release, take } from './run.ts';
import { credentialRef, failed, readCredential, type Sink } from './sink.ts';
import type { SinkParts } from './sink-parts.ts';

type Parts = SinkParts & { onError: (error: unknown) => void };
type Of = { tenantId: TenantId; id: Id<'sink'>; sink: Sink };

const leaseMs = 90_000;
const lookEveryMs = 1_000;
const sinksAtOnce = 8;
const sinksOfATenant = 3;
const batchesPerTurn = 20;
/** A receiver may take twenty seconds for each batch. */
const turnMs = 5_000;
const long = { fromMs: 10_000, atOnce: 4 };
const credentialKeptMs = 3_600_000;
/** A failure or two happen; the log has the third. */
const recordedAfter = 3;
const mostNamed = 20;
const lagKeptMs = 600_000;

const meter = metrics.getMeter('@reeve/audit');
const lag = meter.createObservableGauge('reeve.audit.sink.lag', {
  unit: 's',
  description: 'Age of the oldest record that a sink has not got, of the thousand sinks that were looked at last',
});
const sent = meter.createCounter('reeve.audit.sink.delivered', { description: 'Records delivered to sinks' });
const failures = meter.createCounter('reeve.audit.sink.failures', { description: 'Batches that a sink did not take' });

export function createSinkRunner(parts: Parts) {
  const { sinks, runs, vault, clock, onError } = parts;
  // Of a sink that is gone, or that another instance delivers to, nothing is said for longer than it may take to try
  // again; and sinks are as many as tenants please.
  const lags = new LRUCache<string, number>({ max: 1_000, ttl: lagKeptMs });
  const observeLags: ObservableCallback = result => {
    for (const [sink, seconds] of lags) result.observe(seconds, { sink });
  };
  const cause = () => serviceCause('audit', { correlationId: newEventId() });
  const credentials = new LRUCache<string, { version: number; value: string | null }>({
    max: 10_000,
    ttl: credentialKeptMs,
  });

  /** Read once an hour: each read is a record, and a record is what sinks deliver. */
  async function credentialOf({ tenantId, id, sink }: Of, version: number): Promise<string | null> {
    const key = `${tenantId} ${id}`;
    const known = credentials.get(key);
    if (known?.version === version) return known.value;
    const access = { cause: cause(), purpose: 'deliver_to_sink' } as const;
    const value = await readCredential(vault, { tenantId, sinkId: id, target: sink.target }, access);
    credentials.set(key, { version, value });
    return value;
  }

  /** Null where the run was paused, replayed or taken over meanwhile: whoever has it now goes by what stands there. */
  async function deliverNext(
    turn: Held<Run>,
    { id, sink }: Of,
    { credential, next }: { credential: string | null; next: Next },
  ): Promise<Run | null> {
    const { batch, count, position, checkpoint, found } = next;
    const { deliver } = kindOf(sink.target);
    const { refused } = batch ? await deliver(parts, { target: sink.target, credential }, batch) : { refused: [] };
    const delivered = count - refused.length;
    sent.add(delivered, { kind: sink.target.kind });
    // Of a receiver that refuses everything, also the record of that: it is not recorded again.
    const ownFailures = new Set(
      found.flatMap(({ record }) => (record?.type === 'sink.failed' ? [fromStored(record).record.eventId] : [])),
    );
    const ids = refused.map(one => one.id);
    const isNews = ids.some(one => !ownFailures.has(one));
    const moved = { position, checkpoint, delivered, refused: ids.length, now: clock.now() };
    return turn.renew(
      was => afterDelivery(was, moved),
      isNews ? [failed(id, sink, { code: 'records_refused', refused: ids.slice(0, mostNamed) })] : [],
    );
  }

  async function fail(turn: Held<Run>, { id, sink }: Of, { run, error }: { run: Run; error: unknown }) {
    if (!(error instanceof SinkError)) onError(error);
    const { code, message, retryAfterMs } =
      error instanceof SinkError ? error : new SinkError('internal', 'an error of Reeve’s own; see its log');
    failures.add(1, { kind: sink.target.kind, code });
    const now = clock.now();
    const failure = { code, detail: message, at: now.toISOString() };
    const isRecorded = run.attempts === recordedAfter - 1;
    await turn.change(
      was => afterFailure(was, { failure, retryAfterMs, now, jitter: Math.random() }),
      isRecorded ? [failed(id, sink, { code, refused: [] })] : [],
    );
  }

  /** Batches until there is nothing new, or others have waited long enough. */
  async function work(turn: Held<Run>): Promise<void> {
    const { tenantId } = turn;
    const id = turn.id as Id<'sink'>;
    const entry = await sinks.in(tenantId).get(id);
    if (!entry) {
      lags.delete(id);
      // Removed, or never finished being made.
      await vault.destroy(tenantId, credentialRef(id), cause());
      return runs.in(tenantId).remove(id);
    }
    const of = { tenantId, id, sink: entry.state };
    let run: Run | null = turn.state;
    let waitMs = 0;
    const began = performance.now();
    const isOver = () => delivering.isStopped() || performance.now() - began > turnMs;
    try {
      const credential = await credentialOf(of, entry.version);
      for (let batches = 0; batches < batchesPerTurn && !isOver(); batches += 1) {
        const next = await nextFor(parts, { tenantId, run, sink: of.sink });
        const [oldest] = next.found;
        const lagMs = oldest ? Math.max(0, clock.now().getTime() - Date.parse(oldest.loggedAt)) : 0;
        lags.set(id, lagMs / 1_000);
        waitMs = next.waitMs;
        if (waitMs > 0) break;
        const moved: Run | null = await deliverNext(turn, of, { credential, next });
        if (!moved) return;
        run = moved;
      }
      await turn.change(was => release(was, { now: clock.now(), waitMs }));
    } catch (error) {
      await fail(turn, of, { run, error });
    }
  }

  const reason = 'the sinks of all tenants are delivered to in turns';
  const delivering = worker({
    ...leased({ collection: runs, reason, take, forMs: leaseMs, clock, service: 'audit' }),
    work,
    atOnce: sinksAtOnce,
    ofOneTenant: sinksOfATenant,
    long,
    everyMs: lookEveryMs,
    onError,
  });
  return {
    start(): void {
      delivering.start();
      lag.addCallback(observeLags);
    },

    async stop(): Promise<void> {
      lag.removeCallback(observeLags);
      await delivering.stop();
    },
  };
}
