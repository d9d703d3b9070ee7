// Which declared index a search starts from: that of the most telling filter given. The others narrow what it finds, so that no search goes
// through the log of a tenant.
import type { Entry, Equality } from '@reeve/store';
import { z } from 'zod';
import type { recordQueries, StoredRecord } from '../chains/chain-store.ts';
import { textsIn, wordsOf } from './search-fields.ts';

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
  from: z.iso.datetime({ offset: true }).optional(),
  to: z.iso.datetime({ offset: true }).optional(),
});

export type Filters = z.infer<typeof filters>;

type Query = keyof typeof recordQueries;
export type Search = {
  query: Query;
  equality: Equality<StoredRecord>;
  where: Record<string, unknown>;
  /** What no index can tell. */
  matches: (entry: Entry<StoredRecord>) => boolean;
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

const utc = (text: string) => new Date(text).toISOString();

export function planSearch(given: Filters): Search {
  const words = given.text === undefined ? [] : wordsOf(given.text);
  // A long word is rarer than a short one.
  const telling = words.toSorted((one, other) => other.length - one.length)[0];
  const values: Filters = { ...given, ...(telling === undefined ? {} : { text: telling }) };
  const used = starts.filter(([filter]) => values[filter] !== undefined);
  const [start, ...others] = used;
  const where: Record<string, unknown> = Object.fromEntries(others.map(([filter, , field]) => [field, values[filter]]));
  const { from, to } = given;
  if (from !== undefined || to !== undefined)
    where['time'] = {
      ...(from === undefined ? {} : { $gte: utc(from) }),
      ...(to === undefined ? {} : { $lte: utc(to) }),
    };
  return {
    query: start?.[1] ?? 'byTime',
    equality: start ? ({ [start[2]]: values[start[0]] } as Equality<StoredRecord>) : {},
    where,
    matches: ({ state }) =>
      words.length < 2 || textsIn(JSON.parse(state.canonical)).some(text => hasInOrder(wordsOf(text), words)),
  };
}

function hasInOrder(all: readonly string[], words: readonly string[]): boolean {
  return all.some((_, at) => words.every((word, index) => all[at + index] === word));
}
