// What a process has leased and is to publish, in order. Both ways of publishing rest on it: outboxes (relay.ts) and
// journals (journal.ts). Whoever leased something publishes it as long as the lease holds and no longer; what could not
// be published in that time is handed back, for a sweep of whichever process. After a failed attempt nobody knows what
// arrived, so Kafka is asked before the next one.
import { setTimeout as pause } from 'node:timers/promises';
import type { Message } from '@reeve/contracts';
import { type Publishing, queryFor } from './publish.ts';

export type Publication = {
  /** Those of one key keep their order: when one is lost, so are those behind it. */
  key: string;
  messages: readonly Message[] | (() => Promise<readonly Message[]>);
  /** How much of a batch it is. */
  rows: number;
  /** Milliseconds since the epoch. Asked when it matters, since a lease may be renewed. */
  leaseUntil: () => number;
  /** Another process may have published some of it. */
  doubtful: boolean;
};

export type QueueParts<P extends Publication> = {
  now: () => number;
  /** What an attempt needs at least: with less than this left of a lease none is begun. */
  attemptMs: number;
  /** Waits this long for company before the first of a batch is published. */
  gatherMs: number;
  rowsAtOnce: number;
  onPublished: (batch: readonly P[], messages: readonly Message[]) => Promise<void>;
  /** The lease is over, or Kafka will never take it. */
  onLost: (lost: P) => void;
  onError: (error: unknown) => void;
};

const retryMs = { first: 100, longest: 5_000 };

export function createPublicationQueue<P extends Publication>(parts: QueueParts<P>) {
  const { now, attemptMs, gatherMs, rowsAtOnce, onPublished, onLost, onError } = parts;
  let publishing: Publishing | undefined;
  let queue: P[] = [];
  let running: Promise<void> | undefined;
  let stopped = false;

  const isHeld = (one: P) => one.leaseUntil() - now() > attemptMs;

  /** Hands it back, and with it what waits behind it. */
  function lose(lost: P) {
    const behind = queue.filter(({ key }) => key === lost.key);
    queue = queue.filter(({ key }) => key !== lost.key);
    for (const one of [lost, ...behind]) onLost(one);
  }

  /**
   * Takes what waits, in order, up to what is published in one go; at least one. Hands back what is not ours any more.
   */
  function takeBatch(): P[] {
    const batch: P[] = [];
    let rows = 0;
    for (let next = queue[0]; next; next = queue[0]) {
      if (batch.length > 0 && rows + next.rows > rowsAtOnce) break;
      queue.shift();
      if (!isHeld(next)) {
        lose(next);
        continue;
      }
      batch.push(next);
      rows += next.rows;
    }
    return batch;
  }

  async function messagesOf(batch: readonly P[], { findPublished, once }: Publishing): Promise<Message[]> {
    const messages: Message[] = [];
    const inDoubt: Message[] = [];
    for (const { messages: given, doubtful } of batch) {
      const loaded = typeof given === 'function' ? await given() : given;
      messages.push(...loaded);
      if (doubtful && once) inDoubt.push(...loaded);
    }
    if (inDoubt.length === 0) return messages;
    const there = await findPublished(queryFor(inDoubt));
    return messages.filter(({ event }) => !there.has(event.id));
  }

  async function attempt(batch: readonly P[], to: Publishing): Promise<void> {
    const messages = await messagesOf(batch, to);
    const before = Math.min(...batch.map(one => one.leaseUntil()));
    if (messages.length > 0) await to.publish(messages, { before });
    // Should noting it fail, it is noted again and not published again.
    for (const one of batch) one.messages = [];
    await onPublished(batch, messages);
  }

  /** One that cannot be published must not hold up the others, which may be other tenants'. */
  async function attemptEachAlone(batch: readonly P[], to: Publishing): Promise<void> {
    const lost = new Set<string>();
    for (const one of batch) {
      try {
        if (lost.has(one.key)) onLost(one);
        else await attempt([one], to);
      } catch (error) {
        onError(error);
        lost.add(one.key);
        lose(one);
      }
    }
  }

  async function drain(): Promise<void> {
    let waitMs = retryMs.first;
    while (queue.length > 0 && publishing && !stopped) {
      const { isTransient = () => false } = publishing;
      const batch = takeBatch();
      if (batch.length === 0) continue;
      try {
        await attempt(batch, publishing);
        waitMs = retryMs.first;
      } catch (error) {
        onError(error);
        for (const one of batch) one.doubtful = true;
        if (!isTransient(error)) await attemptEachAlone(batch, publishing);
        else {
          queue.unshift(...batch);
          await pause(waitMs);
          waitMs = Math.min(waitMs * 2, retryMs.longest);
        }
      }
    }
  }

  function run(): void {
    if (!publishing || stopped) return;
    running ??= pause(gatherMs)
      .then(drain)
      .finally(() => {
        running = undefined;
        if (queue.length > 0) run();
      });
  }

  return {
    push(...publications: readonly P[]) {
      queue.push(...publications);
      run();
    },

    /** Takes those out that wait, since they are somebody else's now, and returns them. */
    forget(which: (publication: P) => boolean): P[] {
      const forgotten = queue.filter(which);
      queue = queue.filter(one => !which(one));
      return forgotten;
    },

    start(to: Publishing) {
      publishing = to;
      run();
    },

    /** Publishes what waits as long as Kafka takes it, and at most that long. */
    async stop(withinMs: number): Promise<void> {
      const late = new AbortController();
      const idle = async () => {
        while (running && !stopped) await running;
      };
      await Promise.race([idle(), pause(withinMs, undefined, { signal: late.signal }).catch(() => undefined)]);
      late.abort();
      stopped = true;
    },
  };
}
