// Takes over segments of a journal that a lost process left behind: makes their events again, asks Kafka once which of
// them are there, and publishes the others in the order of their creation.
import { setTimeout as pause } from 'node:timers/promises';
import { metrics } from '@opentelemetry/api';
import type { Message } from '@reeve/contracts';
import { entryOf, type StoredDocument } from './document.ts';
import type { JournalParts } from './journal-definition.ts';
import type { Segments } from './journal-segments.ts';
import { type Publishing, queryFor } from './publish.ts';

type Parts<S> = Pick<JournalParts<S>, 'rows' | 'segmentRows' | 'definition' | 'recover' | 'clock' | 'onError'> & {
  segments: Segments;
  publishing: Publishing;
  read: (keys: readonly string[]) => Promise<Message[]>;
  isStopped: () => boolean;
};

/** One question to Kafka serves all of them. */
const segmentsAtOnce = 20;
const rowsPerPublication = 100;
/**
 * A write of a lost writer may still land after its segment was taken over: a second look, this much later, finds it.
 */
const lateWritesMs = 60_000;
/** A lease counts as over this much later, for clocks that differ and for what its holder sent in the last moment. */
const takeOverAfterMs = 2_000;
const retryMs = 200;

const recoveries = metrics
  .getMeter('@reeve/store')
  .createCounter('reeve.journal.recovered', { description: 'Segments taken over after a crash' });

/** Oldest first. Returns how many those were. */
export async function recoverSegments<S>(parts: Parts<S>): Promise<number> {
  const { segmentRows, segments, clock } = parts;
  const over = new Date(clock.now().getTime() - takeOverAfterMs);
  const due = await segmentRows.find(
    { leaseUntil: { $lte: over } },
    { sort: { leaseUntil: 1 }, limit: segmentsAtOnce },
  );
  const taken = [];
  for (const document of due) if (await segments.takeOver(document)) taken.push(document);
  if (taken.length === 0) return 0;
  recoveries.add(taken.length);
  try {
    await publishMissing(
      parts,
      taken.map(({ _id }) => _id),
    );
  } catch (error) {
    for (const { _id } of taken) segments.abandon(_id);
    throw error;
  }
  for (const { _id, recovered = false } of taken)
    await segments.concludeTakeOver(_id, recovered ? null : new Date(clock.now().getTime() + lateWritesMs));
  return taken.length;
}

async function publishMissing<S>(parts: Parts<S>, segmentIds: readonly string[]): Promise<void> {
  const { rows, definition, publishing, segments, read, isStopped } = parts;
  const projection = { journal: 1, tenantId: 1, changedAt: 1 } as const;
  const found = await rows.find({ 'journal.segment': { $in: segmentIds } }, { projection });
  for (const row of found.filter(one => idsOf(one).length === 0)) await recoverRow(parts, row);
  const telling = found
    .filter(row => idsOf(row).length > 0)
    .toSorted((one, other) => ((idsOf(one)[0] ?? '') < (idsOf(other)[0] ?? '') ? -1 : 1));
  const [oldest] = telling;
  if (!oldest) return;
  const since = telling.reduce((first, { changedAt }) => (changedAt < first ? changedAt : first), oldest.changedAt);
  const ids = new Set(telling.flatMap(idsOf));
  const there = await publishing.findPublished({ ids, topics: definition.topics, since });
  const keys = telling.filter(row => idsOf(row).some(id => !there.has(id))).map(({ _id }) => _id);
  const leaseUntil = () => Math.min(...segmentIds.map(id => segments.leaseUntil(id)));
  for (let at = 0; at < keys.length; at += rowsPerPublication) {
    const messages = await read(keys.slice(at, at + rowsPerPublication));
    let missing = messages.filter(({ event }) => !there.has(event.id));
    while (missing.length > 0) {
      if (isStopped() || leaseUntil() <= parts.clock.now().getTime()) throw new Error('the lease was lost on the way');
      missing = await attempt(parts, missing, { before: leaseUntil() });
    }
  }
}

/** What is still missing after it. */
async function attempt<S>({ publishing, onError }: Parts<S>, missing: Message[], options: { before: number }) {
  try {
    await publishing.publish(missing, options);
    return [];
  } catch (error) {
    onError(error);
    await pause(retryMs);
    const there = await publishing.findPublished(queryFor(missing));
    return missing.filter(({ event }) => !there.has(event.id));
  }
}

async function recoverRow<S>({ rows, definition, recover }: Parts<S>, { _id, tenantId }: StoredDocument<S>) {
  const row = await rows.findOne({ _id, tenantId });
  if (row) await recover(entryOf(definition, row), tenantId);
}

const idsOf = <S>({ journal }: StoredDocument<S>) => journal?.eventIds ?? [];
