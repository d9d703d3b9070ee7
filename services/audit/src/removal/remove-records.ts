// The one place where records are removed: first their signed tombstone is stored, then they go.
import { metrics } from '@opentelemetry/api';
import { hashOfStatement, signStatement, type Tombstone } from '@reeve/audit-log';
import { event, newEventId, serviceCause, type TenantId } from '@reeve/contracts';
import type { Entry } from '@reeve/store';
import type { Log } from '../log/log.ts';
import type { StoredRecord } from '../log/record.ts';
import { hashesOf, type StoredTombstone, tombstoneId, tombstonesOf } from '../log/tombstone.ts';

type Parts = Pick<Log, 'records' | 'tombstones' | 'signingKey' | 'clock'>;

export type Why = Pick<Tombstone, 'reason' | 'reference'>;

const removedRecords = metrics
  .getMeter('@reeve/audit')
  .createCounter('reeve.audit.removed', { description: 'Records removed, by reason' });

/**
 * Removes records of one block of a chain, given in order. Some may have a tombstone already: then a process ended
 * between the two steps. `assertInTime` throws when it may not go on.
 */
export async function removeRecords(
  parts: Parts,
  {
    tenantId,
    found,
    why,
    assertInTime,
  }: { tenantId: TenantId; found: readonly Entry<StoredRecord>[]; why: Why; assertInTime: () => void },
): Promise<void> {
  const block = found.map(({ state }) => state);
  const [chain, from, to] = [block[0]?.chain ?? '', block[0]?.sequence ?? 0, block.at(-1)?.sequence ?? 0];
  const inTombstones = new Set<number>();
  for await (const { ofBlock } of tombstonesOf(parts.tombstones, { tenantId, chain }, { from, to }))
    for (const { jws } of ofBlock) for (const sequence of hashesOf(jws).keys()) inTombstones.add(sequence);
  assertInTime();
  const others = block.filter(({ sequence }) => !inTombstones.has(sequence));
  await writeTombstone(parts, { tenantId, of: others, why });
  assertInTime();
  await parts.records.in(tenantId).removeAll(found.map(({ id }) => id));
  removedRecords.add(found.length, { reason: why.reason });
}

async function writeTombstone(
  { tombstones, signingKey, clock }: Parts,
  { tenantId, of, why }: { tenantId: TenantId; of: readonly StoredRecord[]; why: Why },
): Promise<void> {
  const [oldest, newest] = [of[0], of.at(-1)];
  if (!oldest || !newest) return;
  const { chain, sequence: first } = oldest;
  const { sequence: last } = newest;
  const content = { tenantId, chain, time: clock.now().toISOString(), ...why, removed: runsOf(of) };
  const jws = await signStatement(signingKey(), 'reeve-tombstone', content);
  const state: StoredTombstone = { chain, first, last, jws, chained: timesOf(of) };
  const removed = event('records.removed', {
    id: tenantId,
    because: why.reason,
    details: { chain, first, last, count: of.length, reference: why.reference, tombstone: hashOfStatement(jws) },
  });
  const cause = serviceCause('audit', { correlationId: newEventId() });
  const created = await tombstones.in(tenantId).create(tombstoneId(state), { state, events: [removed] }, cause);
  if (!created) throw new Error('a tombstone that nobody knew of was there');
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

function runsOf(found: readonly StoredRecord[]): Tombstone['removed'] {
  const runs: Tombstone['removed'] = [];
  for (const { sequence, hash } of found) {
    const run = runs.at(-1);
    if (run && run.first + run.hashes.length === sequence) run.hashes.push(hash);
    else runs.push({ first: sequence, hashes: [hash] });
  }
  return runs;
}
