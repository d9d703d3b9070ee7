// The one place where records are removed: first a signed tombstone that tells of them, then they.
import { metrics } from '@opentelemetry/api';
import { hashOfStatement, signStatement, type Tombstone } from '@reeve/audit-log';
import { because, type EventDraft, newEventId, serviceCause, type TenantId } from '@reeve/contracts';
import type { Clock, Entry } from '@reeve/store';
import type { StoredRecord } from '../chains/chain-store.ts';
import type { Logs } from '../chains/read-chain.ts';
import { hashesOf, type StoredTombstone, tombstoneId, tombstonesOf } from '../chains/tombstones.ts';
import type { SigningKey } from '../checkpoints/checkpoint-keys.ts';

type Parts = Logs & { signingKey: () => SigningKey; clock: Clock };

export type Why = Pick<Tombstone, 'reason' | 'reference'>;

const removedRecords = metrics
  .getMeter('@reeve/audit')
  .createCounter('reeve.audit.removed', { description: 'Records removed, by reason' });

async function writeTombstone(
  { tombstones, signingKey, clock }: Parts,
  { tenantId, untold, why }: { tenantId: TenantId; untold: readonly StoredRecord[]; why: Why },
): Promise<void> {
  const [oldest, newest] = [untold[0], untold.at(-1)];
  if (!oldest || !newest) return;
  const { chain, sequence: first } = oldest;
  const { sequence: last } = newest;
  const removed = runsOf(untold);
  const content = { tenantId, chain, time: clock.now().toISOString(), ...why, removed };
  const jws = await signStatement(signingKey(), 'reeve-tombstone', content);
  const state: StoredTombstone = { chain, first, last, jws, chained: timesOf(untold) };
  const { reference } = why;
  const tombstone = hashOfStatement(jws);
  const event: EventDraft<'records.removed'> = {
    type: 'records.removed',
    target: { type: 'audit_log', id: tenantId, name: null },
    outcome: 'success',
    reason: because(why.reason),
    details: { chain, first, last, count: untold.length, reference, tombstone },
  };
  const created = await tombstones
    .in(tenantId)
    .create(tombstoneId(state), { state, events: [event] }, serviceCause('audit', { correlationId: newEventId() }));
  if (!created) throw new Error('a tombstone that nobody knew of was there');
}

/**
 * Removes records of one block of a chain, given in order. Those that a tombstone tells of already were left by a process that ended between the two steps.
 * `assertInTime` throws when it may not go on.
 */
export async function bury(
  parts: Parts,
  {
    tenantId,
    found,
    why,
    assertInTime,
  }: { tenantId: TenantId; found: readonly Entry<StoredRecord>[]; why: Why; assertInTime: () => void },
): Promise<void> {
  const { records, tombstones } = parts;
  const block = found.map(({ state }) => state);
  const [chain, from, to] = [block[0]?.chain ?? '', block[0]?.sequence ?? 0, block.at(-1)?.sequence ?? 0];
  const told = new Set<number>();
  for await (const { telling } of tombstonesOf(tombstones, { tenantId, chain }, { from, to }))
    for (const { jws } of telling) for (const sequence of hashesOf(jws).keys()) told.add(sequence);
  assertInTime();
  await writeTombstone(parts, { tenantId, untold: block.filter(({ sequence }) => !told.has(sequence)), why });
  assertInTime();
  await records.in(tenantId).removeAll(found.map(({ id }) => id));
  removedRecords.add(found.length, { reason: why.reason });
}

/** When they were chained, equal neighbours counted. */
function timesOf(found: readonly StoredRecord[]): StoredTombstone['chained'] {
  const times: StoredTombstone['chained'] = [];
  for (const { loggedAt } of found) {
    const last = times.at(-1);
    if (last?.at === loggedAt) last.count += 1;
    else times.push({ at: loggedAt, count: 1 });
  }
  return times;
}

function runsOf(removed: readonly StoredRecord[]): Tombstone['removed'] {
  const runs: Tombstone['removed'] = [];
  for (const { sequence, hash } of removed) {
    const run = runs.at(-1);
    if (run && run.first + run.hashes.length === sequence) run.hashes.push(hash);
    else runs.push({ first: sequence, hashes: [hash] });
  }
  return runs;
}
