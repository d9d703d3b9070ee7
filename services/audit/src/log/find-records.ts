// Finds records by what they are about. A search starts from the declared index of its most selective filter; type and
// outcome narrow it in the index, and what is left of the filters is compared while it is read on.
import type { AuditRecord } from '@reeve/audit-log';
import type { TenantId } from '@reeve/contracts';
import type { Entry, Equality, ListOptions, Page } from '@reeve/store';
import { z } from 'zod';
import { fromStored, type Records, recordQueries, type StoredRecord } from './record.ts';
import { textsIn, wordsOf } from './search-fields.ts';

const time = z.iso.datetime({ offset: true }).optional();

export const filters = z.strictObject({
  type: z.string().max(100).optional(),
  actor: z.string().max(200).optional().describe('Id of who did it'),
  target: z.string().max(200).optional().describe('Id of what it was done to'),
  outcome: z.enum(['success', 'failure', 'denied']).optional(),
  ip: z.string().max(100).optional(),
  session: z.string().max(100).optional(),
  correlation: z.string().max(200).optional(),
  about: z.string().max(200).optional().describe('Id of whatever the record has to do with, in whichever role'),
  text: z
    .string()
    .max(200)
    .refine(text => wordsOf(text).length > 0, 'must hold a word')
    .optional()
    .describe('Whole words, one after the other, in any case; ids and addresses are words'),
  from: time,
  to: time,
});

export type Filters = z.infer<typeof filters>;

type Query = keyof typeof recordQueries;
export type Search = {
  query: Query;
  equality: Equality<StoredRecord>;
  options: Required<Pick<ListOptions<StoredRecord>, 'only' | 'range'>> & Pick<ListOptions<StoredRecord>, 'keep'>;
};

/** The filter that names the fewest records of a log comes first. */
const starts = [
  ['correlation', 'byCorrelation', 'correlationId'],
  ['session', 'bySession', 'sessionId'],
  ['about', 'byAbout', 'about'],
  ['target', 'byTarget', 'targetId'],
  ['actor', 'byActor', 'actorId'],
  ['text', 'byWord', 'words'],
  ['ip', 'byIp', 'ip'],
  ['type', 'byType', 'type'],
  ['outcome', 'byOutcome', 'outcome'],
] as const satisfies readonly (readonly [keyof Filters, Query, keyof StoredRecord])[];

/** Times are compared as the text that records hold. */
const utc = (text: string | undefined) => text && new Date(text).toISOString();

export function planSearch(given: Filters): Search {
  const words = given.text === undefined ? [] : wordsOf(given.text);
  // A long word is rarer than a short one.
  const [rarest] = words.toSorted((one, other) => other.length - one.length);
  const values: Filters = { ...given, ...(rarest === undefined ? {} : { text: rarest }) };
  const [start, ...others] = starts.filter(([filter]) => values[filter] !== undefined);
  const query = start?.[1] ?? 'byTime';
  const { narrowedBy } = recordQueries[query] as { narrowedBy?: readonly string[] };
  const wanted = others.map(([filter, , field]) => ({ field, value: values[filter], filter }));
  const isNarrowing = ({ field }: { field: string }) => narrowedBy?.includes(field) ?? false;
  const only = Object.fromEntries(wanted.filter(isNarrowing).map(({ field, value }) => [field, value]));
  const compared = wanted.filter(one => !isNarrowing(one));
  const keep = ({ state }: Entry<StoredRecord>) =>
    compared.every(({ field, value }) => [state[field]].flat().some(one => one === value)) &&
    (words.length < 2 || holdsInOrder(state, words));
  return {
    query,
    equality: start ? ({ [start[2]]: values[start[0]] } as Equality<StoredRecord>) : {},
    options: {
      only,
      range: { from: utc(given.from), to: utc(given.to) },
      ...(compared.length > 0 || words.length > 1 ? { keep } : {}),
    },
  };
}

function holdsInOrder({ canonical }: StoredRecord, words: readonly string[]): boolean {
  const follows = (all: readonly string[]) =>
    all.some((_, at) => words.every((word, index) => all[at + index] === word));
  return textsIn(JSON.parse(canonical)).some(text => follows(wordsOf(text)));
}

/** Newest first. */
export function findRecords(
  records: Records,
  tenantId: TenantId,
  { filters: given, limit, cursor }: { filters: Filters; limit: number; cursor?: string | undefined },
): Promise<Page<StoredRecord>> {
  const { query, equality, options } = planSearch(given);
  return records.in(tenantId).list(query, equality, { ...options, limit, cursor });
}

/** Asks the log of one tenant. */
export type Find = (filters: Filters, limit: number) => Promise<AuditRecord[]>;

export const finderOf =
  (records: Records, tenantId: TenantId): Find =>
  async (given, limit) =>
    (await findRecords(records, tenantId, { filters: given, limit })).items.map(
      ({ state }) => fromStored(state).record,
    );
