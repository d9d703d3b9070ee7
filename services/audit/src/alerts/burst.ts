import type { AuditRecord } from '@reeve/audit-log';
import type { Filters } from '../log/find-records.ts';
import { before, disorderMs, later, minuteMs, type Rule, threshold } from './rule.ts';

type Burst = Pick<Rule, 'title' | 'severity' | 'triggers' | 'subjectOf'> & {
  count: number;
  minutes: number;
  /** What there are many of, in words. */
  what: string;
  /** Where the others are found. */
  among: (record: AuditRecord, subject: string) => Filters;
  matches?: (record: AuditRecord) => boolean;
  weightOf?: (record: AuditRecord) => number;
};

const mostLookedAt = 1_000;

/** So many records of a type about one subject within some minutes. */
export function burst({ count, minutes, what, among, matches = () => true, weightOf = () => 1, ...rule }: Burst): Rule {
  return {
    ...rule,
    weightOf,
    thresholds: {
      count: threshold(count, `${what}, at least`, [1, mostLookedAt]),
      minutes: threshold(minutes, 'within so many minutes', [1, 1_440]),
    },
    subjectOf: record => (matches(record) ? rule.subjectOf(record) : null),

    suspects({ record, weightWithin }) {
      const at = Date.parse(record.time);
      return thresholds => {
        const span = (thresholds['minutes'] ?? minutes) * minuteMs;
        const sum = weightWithin(at - span, at + disorderMs);
        return sum === null || sum >= (thresholds['count'] ?? count);
      };
    },

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
