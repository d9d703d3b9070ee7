// What a record can be searched by. All of it follows from the record, and lies in the same document: what is stored
// is searchable.
import type { AuditRecord } from '@reeve/audit-log';

/** Raised when the fields below change; records of before are found by them after `reeve audit rebuild-search`. */
export const searchVersion = 1;

export type SearchFields = {
  searchVersion: number;
  time: string;
  type: string;
  outcome: AuditRecord['outcome'];
  actorId: string | null;
  targetId: string | null;
  ip: string | null;
  sessionId: string | null;
  correlationId: string;
  /** Ids of whatever the record has to do with, in whichever role. */
  about: string[];
  /** What is written in it, as `wordsOf` splits it. */
  words: string[];
};

const mostAbout = 32;
const mostWords = 256;
const longestWord = 100;

/** Words in small letters, ids and compounds whole. */
export function wordsOf(text: string): string[] {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .split(/[^\p{L}\p{N}_-]+/u)
    .filter(word => word !== '')
    .map(word => word.slice(0, longestWord));
}

const isId = /^[a-z]{2,6}_[0-9a-f-]{36}$/;

/** A compound is found by its parts as well; an id is not. */
const withParts = (word: string) =>
  isId.test(word) || !/[_-]/.test(word) ? [word] : [word, ...word.split(/[_-]+/).filter(Boolean)];

/** Every text and number in a JSON value. */
export function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number') return [String(value)];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** Sorted, so that it does not matter in which order the members of a record come. */
const distinct = (texts: readonly string[]) => [...new Set(texts)].toSorted();

export function searchFieldsOf(record: AuditRecord): SearchFields {
  const { time, type, outcome, actor, target, context, reason, correlationId, causationId, details } = record;
  const idsInDetails = Object.entries(details).flatMap(([name, value]) =>
    name.endsWith('Id') && typeof value === 'string' ? [value] : [],
  );
  const related = [
    actor.id,
    target.id,
    context.sessionId,
    context.connectionId,
    context.clientId,
    causationId,
    ...idsInDetails,
  ];
  const texts = [
    type,
    actor.type,
    actor.id,
    actor.name,
    target.type,
    target.id,
    target.name,
    outcome,
    reason.code,
    reason.rule,
    context.ip,
    context.userAgent,
  ];
  const words = [...texts, ...textsIn(details)]
    .flatMap(text => (text === null ? [] : wordsOf(text)))
    .flatMap(withParts);
  return {
    searchVersion,
    // With milliseconds, as all others have them: a text is compared.
    time: new Date(time).toISOString(),
    type,
    outcome,
    actorId: actor.id,
    targetId: target.id,
    ip: context.ip,
    sessionId: context.sessionId,
    correlationId,
    about: distinct(related.filter(id => id !== null)).slice(0, mostAbout),
    words: distinct(words).slice(0, mostWords),
  };
}
