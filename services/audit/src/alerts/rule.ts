// A rule looks at a record of one of its types, asks the log what else there is, and says what it found. It keeps nothing itself: the evidence is in
// the log, so that the same record leads to the same answer whenever it is looked at.
import type { AuditRecord } from '@reeve/audit-log';
import type { EventType } from '@reeve/contracts';
import type { Filters } from '../search/plan-search.ts';
import type { Places } from './places.ts';

export const severities = ['low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof severities)[number];

export type Threshold = { default: number; min: number; max: number; means: string };

/** `records` newest first, the one that was looked at among them. */
export type Evidence = { records: AuditRecord[]; summary: string };

export type Look = {
  record: AuditRecord;
  subject: string;
  thresholds: Readonly<Record<string, number>>;
  /** What is older was the evidence of an alert before; null where there was none. */
  since: string | null;
  /** Newest first. */
  find: (filters: Filters, limit: number) => Promise<AuditRecord[]>;
  places: Places | null;
};

export type Rule = {
  title: string;
  severity: Severity;
  /** Whether it needs the operator's database of places. */
  needsPlaces?: boolean;
  triggers: readonly EventType[];
  thresholds: Readonly<Record<string, Threshold>>;
  /** Whom or what an alert is about: one of them is open at a time. Null where the record says nothing about any. */
  subjectOf: (record: AuditRecord) => string | null;
  look: (look: Look) => Promise<Evidence | null>;
};

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

export const before = (time: string, ms: number): string => new Date(Date.parse(time) - ms).toISOString();
/** What happened at about the same time may come in another order. */
const disorderMs = 30_000;
export const later = (time: string): string => before(time, -disorderMs);
export const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

export function threshold(value: number, means: string, [min, max]: [number, number]): Threshold {
  return { default: value, min, max, means };
}

type Burst = Pick<Rule, 'title' | 'severity' | 'triggers' | 'subjectOf'> & {
  count: number;
  minutes: number;
  /** What there are many of, in words. */
  what: string;
  /** Where the others are found. */
  among: (record: AuditRecord, subject: string) => Filters;
  matches?: (record: AuditRecord) => boolean;
  /** For how many a record stands. */
  weightOf?: (record: AuditRecord) => number;
};

const mostLookedAt = 1_000;

/** So many records of a type about one subject within some minutes. */
export function burst({ count, minutes, what, among, matches = () => true, weightOf = () => 1, ...rule }: Burst): Rule {
  return {
    ...rule,
    thresholds: {
      count: threshold(count, `${what}, at least`, [1, mostLookedAt]),
      minutes: threshold(minutes, 'within so many minutes', [1, 1_440]),
    },
    subjectOf: record => (matches(record) ? rule.subjectOf(record) : null),
    async look({ record, subject, thresholds, since, find }) {
      const least = thresholds['count'] ?? count;
      const span = thresholds['minutes'] ?? minutes;
      const from = before(record.time, span * minuteMs);
      const filters = { ...among(record, subject), type: record.type, from, to: later(record.time) };
      const found = await find(filters, mostLookedAt);
      const isOne = (one: AuditRecord) => matches(one) && rule.subjectOf(one) === subject;
      const records = found.filter(one => isOne(one) && (since === null || one.time > since));
      const sum = records.reduce((total, one) => total + weightOf(one), 0);
      if (sum < least) return null;
      return { records, summary: `${sum} ${what} within ${span} minutes` };
    },
  };
}
