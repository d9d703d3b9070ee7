// Requests that wait to be stored. Whoever waits shares one round trip with the others (group commit), tenants take turns for the places in
// it, and what would wait too long is refused at once with a time to come back. Nothing in here is durable: nobody was told 202 yet.
import { metrics } from '@opentelemetry/api';
import { ProblemError, type TenantId } from '@reeve/contracts';

type Waiting<I, R> = { item: I; bytes: number; resolve: (result: R) => void; reject: (error: unknown) => void };

export type FairQueue<I, R> = {
  push(tenantId: TenantId, item: I, bytes: number): Promise<R>;
};

type Options<I, R> = {
  /** Resolves to a result for each item, in order. One at a time: while it is on its way, the next is filled. */
  commit: (items: readonly I[]) => Promise<readonly R[]>;
  maxBatch?: number;
  maxBatchBytes?: number;
  maxWaiting?: number;
  maxWaitingBytes?: number;
  /** Of the places, how many one tenant may take while others wait. */
  tenantShare?: number;
};

const waitingGauge = metrics
  .getMeter('@reeve/webhook-ingress')
  .createUpDownCounter('reeve.ingress.waiting', { description: 'Deliveries that wait to be stored' });

export function createFairQueue<I, R>({
  commit,
  maxBatch = 256,
  maxBatchBytes = 8_000_000,
  maxWaiting = 2_000,
  maxWaitingBytes = 32_000_000,
  tenantShare = 0.5,
}: Options<I, R>): FairQueue<I, R> {
  /** In the order of turns: a tenant that was served goes to the end. */
  const tenants = new Map<TenantId, Waiting<I, R>[]>();
  let waiting = 0;
  let waitingBytes = 0;
  let running = false;

  function nextBatch(): Waiting<I, R>[] {
    const batch: Waiting<I, R>[] = [];
    let bytes = 0;
    while (batch.length < maxBatch && bytes < maxBatchBytes) {
      const [first] = tenants;
      if (!first) break;
      const [tenantId, queue] = first;
      const next = queue.shift();
      // One each, and to the end of the line, where there is one.
      if (tenants.size > 1 || queue.length === 0) tenants.delete(tenantId);
      if (queue.length > 0) tenants.set(tenantId, queue);
      if (next) {
        batch.push(next);
        bytes += next.bytes;
      }
    }
    waiting -= batch.length;
    waitingBytes -= bytes;
    waitingGauge.add(-batch.length);
    return batch;
  }

  async function run() {
    while (waiting > 0) {
      const batch = nextBatch();
      try {
        const results = await commit(batch.map(({ item }) => item));
        for (const [index, { resolve }] of batch.entries()) resolve(results[index] as R);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    running = false;
  }

  return {
    push(tenantId, item, bytes) {
      const mine = tenants.get(tenantId);
      if (waiting >= maxWaiting || waitingBytes + bytes > maxWaitingBytes)
        throw new ProblemError('ingress_busy', undefined, { retryAfterSeconds: 2 });
      if (mine && mine.length >= maxWaiting * tenantShare)
        throw new ProblemError('rate_limited', 'too much of this tenant is waiting', { retryAfterSeconds: 2 });
      const { promise, resolve, reject } = Promise.withResolvers<R>();
      const entry = { item, bytes, resolve, reject };
      if (mine) mine.push(entry);
      else tenants.set(tenantId, [entry]);
      waiting += 1;
      waitingBytes += bytes;
      waitingGauge.add(1);
      // After whatever else arrives in this turn of the loop.
      if (!running) {
        running = true;
        setImmediate(() => void run());
      }
      return promise;
    },
  };
}
