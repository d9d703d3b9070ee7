// What this process remembers of a chain: enough to see that a rule has nothing to find, without a question to the
// log. It reaches back to where the process began to read the chain, and begins anew where a record between was read
// by another process, or where it grows too large. What it does not reach is asked of the log, so nothing is forgotten
// by a restart.
import type { AuditRecord } from '@reeve/audit-log';
import { LRUCache } from 'lru-cache';
import { dayMs, minuteMs } from './rule.ts';

/** Of a rule and a subject. */
export type Remembered = {
  /** Of the newest record. */
  time: string;
  ip: string | null;
  /** How much there was in each minute since the epoch. */
  weights: Map<number, number>;
  /** When a look at the log last found nothing. */
  inVainAt: number | null;
};

export type ChainMemory = {
  /** Of records of that time (milliseconds since the epoch) and later all have been seen. */
  reachesBackTo: number;
  /** Of the last record that was seen. */
  sequence: number;
  of: Map<string, Remembered>;
};

const mostOfAll = 200_000;
const mostOfAChain = 5_000;
/** A record may say that it is of a time a little after that of its chaining. */
const clockDifferenceMs = minuteMs;
/** The longest window that a rule counts in. */
const countedMs = dayMs;

export function createMemories(now: () => number) {
  const chains = new LRUCache<string, ChainMemory>({ maxSize: mostOfAll, sizeCalculation: ({ of }) => of.size + 1 });

  const anew = (sequence: number): ChainMemory => ({
    reachesBackTo: now() + clockDifferenceMs,
    sequence,
    of: new Map(),
  });

  return {
    /** Of the chain of a record. Null where the record was seen before: it comes again because something failed. */
    before({ tenantId, chain, sequence }: AuditRecord): ChainMemory | null {
      const key = `${tenantId} ${chain}`;
      const known = chains.get(key);
      if (known && sequence <= known.sequence) return null;
      const follows = known && known.sequence + 1 === sequence && known.of.size < mostOfAChain;
      const memory = follows ? known : anew(sequence - 1);
      memory.sequence = sequence;
      // Set again, so that its size is known.
      chains.set(key, memory);
      return memory;
    },
  };
}

/** Adds a record to what is remembered, and returns what was remembered before it. */
export function remember(
  memory: ChainMemory,
  key: string,
  { record, weight, now }: { record: AuditRecord; weight: number; now: number },
): Remembered | null {
  const { time, context } = record;
  const before = memory.of.get(key) ?? null;
  const weights = new Map(before?.weights);
  const oldest = minuteOf(now - countedMs) - 1;
  for (const minute of weights.keys()) if (minute < oldest) weights.delete(minute);
  const minute = minuteOf(Date.parse(time));
  weights.set(minute, (weights.get(minute) ?? 0) + weight);
  const isNewer = before === null || before.time <= time;
  const newest = isNewer ? { time, ip: context.ip } : { time: before.time, ip: before.ip };
  memory.of.set(key, { ...newest, weights, inVainAt: before?.inVainAt ?? null });
  return before;
}

export const minuteOf = (ms: number) => Math.floor(ms / minuteMs);

/**
 * How much there was between two times (milliseconds since the epoch), or a little more: by whole minutes. Null where
 * not all of it has been seen: before the memory begins, and in a future that some clock is in.
 */
export function weightWithin(
  { reachesBackTo }: Pick<ChainMemory, 'reachesBackTo'>,
  { weights }: Pick<Remembered, 'weights'>,
  { from, to, now }: { from: number; to: number; now: number },
): number | null {
  if (from < Math.max(reachesBackTo, now - countedMs) || to > now + clockDifferenceMs) return null;
  let sum = 0;
  for (const [minute, weight] of weights) if (minute >= minuteOf(from) && minute <= minuteOf(to)) sum += weight;
  return sum;
}
