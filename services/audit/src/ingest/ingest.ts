// Consumes every audited topic: chains what arrives, then publishes it as OCSF and has the alert rules look at it.
// Offsets are committed after all of that, so a crash repeats the batch, and the chain knows what it has.
import { type ChainedRecord, toOcsf } from '@reeve/audit-log';
import { auditedTopics, type Message, type TenantId } from '@reeve/contracts';
import type { Batch, ConsumerOptions, SetAside } from '@reeve/event-bus';
import { yieldEvery } from '@reeve/service-kit';
import type { Arrival, ChainWriter } from '../log/chain-writer.ts';
import type { SigningKey } from '../log/signing-key.ts';
import { arrivalOf, arrivalOfSetAside, chainOf } from './arrivals.ts';

type Parts = {
  writer: ChainWriter;
  signingKey: () => SigningKey;
  publish: (messages: readonly Message[]) => Promise<void>;
  /** Has the rules look at what was chained. */
  examine: (chained: readonly ChainedRecord[]) => Promise<void>;
  /** Awaited before each portion: requests come first. */
  giveWay: () => Promise<void>;
};

const group = 'audit.chain';
const portionSize = 250;
const longestTurnMs = 10;

export function ingest({ writer, signingKey, publish, examine, giveWay }: Parts): ConsumerOptions {
  async function publishAll(chained: readonly ChainedRecord[]): Promise<void> {
    const rest = yieldEvery(longestTurnMs);
    const messages: Message[] = [];
    for (const one of chained) {
      messages.push(messageOf(one, signingKey().kid));
      await rest();
    }
    await publish(messages);
  }

  return {
    group,
    topics: auditedTopics,
    // What one sign-in brings comes within that time: it is chained in one write. Some sixty events wait for no more.
    gather: { ms: 500, bytes: 65_536 },
    // While the store has the records of one, those of the next are hashed.
    partitionsAtOnce: 2,

    async handleBatch(batch: Batch) {
      for (const portion of portionsOf(batch.events)) {
        await giveWay();
        const byTenant = new Map<TenantId, Arrival[]>();
        for (const event of portion) {
          const arrivals = byTenant.get(event.tenantId) ?? [];
          arrivals.push(arrivalOf(event));
          byTenant.set(event.tenantId, arrivals);
        }
        const chained = await writer.appendAll(chainOf(batch), byTenant);
        await publishAll(chained);
        await examine(chained);
      }
    },

    /** What could not be read is in the dead letters; the log says so. */
    async handleSetAside(letter: SetAside) {
      const { tenantId, arrival } = arrivalOfSetAside(letter, group);
      await publishAll(await writer.append(tenantId, chainOf(letter), [arrival]));
    },
  };
}

/**
 * A fetch may bring thousands of events: whoever asks for something meanwhile waits for a portion, and not for all.
 */
function* portionsOf(events: Batch['events']): Generator<Batch['events']> {
  for (let at = 0; at < events.length; at += portionSize) yield events.slice(at, at + portionSize);
}

function messageOf(chained: ChainedRecord, keyId: string): Message {
  const { tenantId, chain, sequence, eventId, time, correlationId } = chained.record;
  return {
    topic: 'reeve.audit.v1',
    key: tenantId,
    event: {
      id: eventId,
      source: '/reeve/audit',
      type: 'audit.record',
      subject: `${chain}#${sequence}`,
      time,
      tenantId: tenantId as TenantId,
      correlationId,
      contentType: 'application/json',
      data: toOcsf(chained, keyId),
    },
  };
}
