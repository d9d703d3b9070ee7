import { before, dayMs, type Rule, threshold, wasAwayForADay } from './rule.ts';

const mostLookedAt = 200;

export const newReader: Rule = {
  title: 'Token material is read by somebody who never did',
  severity: 'high',
  triggers: ['delegated_token.leased'],
  thresholds: {
    days: threshold(30, 'days in which the reader read none', [1, 365]),
    earlier: threshold(20, 'reads by others in these days, at least: without them nothing is usual', [1, mostLookedAt]),
  },
  subjectOf: ({ actor }) => actor.id,
  suspects: wasAwayForADay,

  async look({ record, subject, thresholds, find }) {
    const from = before(record.time, (thresholds['days'] ?? 0) * dayMs);
    const within = { type: record.type, from, to: before(record.time, 1) };
    if ((await find({ ...within, actor: subject }, 1)).length > 0) return null;
    const earlier = await find(within, mostLookedAt);
    if (earlier.length < (thresholds['earlier'] ?? 0)) return null;
    const readers = new Set(earlier.map(({ actor }) => actor.id)).size;
    return { records: [record], summary: `until now ${readers} others read token material, this one never did` };
  },
};
