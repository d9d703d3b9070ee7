// What happened after a backup was begun, and is not in the store that was restored from it: Kafka still has the events
// of it. They are named, and nothing is made up from them: an event does not hold all that its state did.
import { auditedTopics } from '@reeve/contracts';
import { decode, type EventBus, PoisonMessageError } from '@reeve/event-bus';
import { z } from 'zod';
import type { Restored } from '../restored.ts';

/** Of each type, so that what happens often hides nothing. */
const mostOfAType = 200;

/** Only adds: what was allowed before it is allowed after it. */
const adding = new Set(
  (
    'created claimed verified succeeded failed accepted stored accessed refreshed leased read exported signed raised ' +
    'tested requested duplicated gap_detected certificate_expiring metadata_refreshed assigned linked added granted ' +
    'approved installed resumed reactivated platform_used'
  ).split(' '),
);
/** Of these every one ends by the restore itself. */
const endsAnyway = /^(session|token|delegated_session)\./;
const changesWhatCounts = (type: string) =>
  !adding.has(type.slice(type.lastIndexOf('.') + 1)) && !endsAnyway.test(type);

export const gapView = z.object({
  restoredTo: z.string().describe('When the backup was begun'),
  at: z.string().describe('When the restored store was put in service'),
  types: z.array(
    z.object({
      type: z.string(),
      count: z.number(),
      first: z.string(),
      last: z.string(),
      tightened: z
        .boolean()
        .describe('It did not only add something: less may have been allowed after it, so look at these first'),
    }),
  ),
  events: z
    .array(z.object({ id: z.string(), type: z.string(), tenantId: z.string(), subject: z.string(), time: z.string() }))
    .describe(`The first ${mostOfAType} of each type, those first that did not only add something`),
  total: z.number(),
});
export type Gap = z.infer<typeof gapView>;

type Parts = { bus: Pick<EventBus, 'readTopics'>; restored: Pick<Restored, 'last'>; source: string };

/** Null for a store that was never restored. Reads the topics from the backup on: that may take minutes. */
export async function findGap({ bus, restored, source }: Parts): Promise<Gap | null> {
  const note = restored.last();
  if (!note) return null;
  const types = new Map<string, Gap['types'][number]>();
  const [first, then]: [Gap['events'], Gap['events']] = [[], []];
  let total = 0;
  await bus.readTopics(
    auditedTopics,
    ({ message }) => {
      const event = eventIn(message);
      if (event?.source !== source || event.time < note.restoredTo || event.time >= note.at) return;
      const { id, type, tenantId, subject, time } = event;
      const tightened = changesWhatCounts(type);
      const known = types.get(type) ?? { type, count: 0, first: time, last: time, tightened };
      const [earliest = time] = [known.first, time].toSorted();
      const latest = [known.last, time].toSorted().at(-1) ?? time;
      types.set(type, { ...known, count: known.count + 1, first: earliest, last: latest });
      total += 1;
      if (known.count < mostOfAType) (tightened ? first : then).push({ id, type, tenantId, subject, time });
    },
    new Date(note.restoredTo),
  );
  const byWeight = (one: Gap['types'][number], other: Gap['types'][number]) =>
    Number(other.tightened) - Number(one.tightened) || one.type.localeCompare(other.type);
  return {
    ...note,
    types: [...types.values()].toSorted(byWeight),
    events: [...first, ...then],
    total,
  };
}

/** Null for what nobody could read. */
function eventIn(message: Parameters<typeof decode>[0]) {
  try {
    return decode(message);
  } catch (error) {
    if (error instanceof PoisonMessageError) return null;
    throw error;
  }
}
