// A rule looks at a record of one of its types, asks the log what else there is, and says what it found. Its evidence
// is in the log, so that the same record leads to the same answer whenever it is looked at. What the process remembers
// of the chain only saves questions: it shows that there is nothing to find.
import type { AuditRecord } from '@reeve/audit-log';
import type { EventType } from '@reeve/contracts';
import type { Places } from '@reeve/service-kit/places';
import type { Find } from '../log/find-records.ts';

export const severities = ['low', 'medium', 'high', 'critical'] as const;

export type Threshold = { default: number; min: number; max: number; means: string };
export type Thresholds = Readonly<Record<string, number>>;

/** `records` newest first, the one that was looked at among them. */
export type Evidence = { records: AuditRecord[]; summary: string };

export type Look = {
  record: AuditRecord;
  subject: string;
  thresholds: Thresholds;
  /** What is older was the evidence of an alert before; null where there was none. */
  since: string | null;
  /** Newest first. */
  find: Find;
  places: Places | null;
};

/** A record, and what is remembered of its subject from before it. */
export type Notice = {
  record: AuditRecord;
  before: { time: string; ip: string | null; inVainAt: number | null } | null;
  /**
   * How much there was about the subject between two times, the record itself counted; null where that is not known.
   */
  weightWithin: (from: number, to: number) => number | null;
  /** Milliseconds since the epoch. */
  now: number;
};

/** Whether there may be something to find; where that depends on the thresholds, by these. */
export type Suspicion = boolean | ((thresholds: Thresholds) => boolean);

/** What is known of a tenant without a question to its log. */
type Knowledge = { mayBeAdmin: (userId: string) => Promise<boolean> };

export type Rule = {
  title: string;
  severity: (typeof severities)[number];
  /** Whether it needs the operator's database of places. */
  needsPlaces?: boolean;
  triggers: readonly EventType[];
  thresholds: Readonly<Record<string, Threshold>>;
  /** Whom or what an alert is about: one of them is open at a time. Null where the record says nothing about any. */
  subjectOf: (record: AuditRecord) => string | null;
  /** For how many a record stands, where they are counted. */
  weightOf?: (record: AuditRecord) => number;
  /** False only where a look would find nothing. */
  suspects: (notice: Notice) => Suspicion;
  /** Asked of what is suspected, before anything is read. */
  concerns?: (subject: string, knowledge: Knowledge) => Promise<boolean>;
  /** Types of records after which a look that found nothing may find something; their target is the subject. */
  renewedBy?: readonly EventType[];
  look: (look: Look) => Promise<Evidence | null>;
};

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

export const before = (time: string, ms: number): string => new Date(Date.parse(time) - ms).toISOString();
/** What happened at about the same time may come in another order. */
export const disorderMs = 30_000;
export const later = (time: string): string => before(time, -disorderMs);
export const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

export function threshold(value: number, means: string, [min, max]: [number, number]): Threshold {
  return { default: value, min, max, means };
}

/** The shortest time in days that a threshold can be set to. */
const leastDays = 1;

/** For rules about who does something for the first time in some days: not who did it within one. */
export function wasAwayForADay({ record, before: last }: Notice): boolean {
  return last === null || last.time > record.time || last.time < before(record.time, leastDays * dayMs);
}

/**
 * How long a look that found nothing counts, for rules whose answer changes with time or by what other chains bring.
 */
const inVainForMs = hourMs;

export const wasNotLookedAtLately = ({ before: last, now }: Notice): boolean =>
  last === null || last.inVainAt === null || last.inVainAt < now - inVainForMs;
