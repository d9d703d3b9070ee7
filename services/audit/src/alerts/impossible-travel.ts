import { networkOf } from '@reeve/service-kit';
import { kmBetween } from './distance.ts';
import { before, dayMs, hourMs, later, type Rule, textOf, threshold } from './rule.ts';

const farBackDays = 7;
const mostLookedAt = 200;

/**
 * Two sign-ins of one user, so far from one another that nobody could have got there. Addresses are only about as
 * exact as the database of places.
 */
export const impossibleTravel: Rule = {
  title: 'A user signed in from two places that are too far apart',
  severity: 'high',
  needsPlaces: true,
  triggers: ['sign_in.succeeded'],
  thresholds: {
    kmPerHour: threshold(900, 'faster than so many kilometres per hour', [100, 20_000]),
    km: threshold(500, 'and so many kilometres apart, at least', [50, 20_000]),
  },
  subjectOf: ({ details }) => textOf(details['userId']),

  /** Not who was in the same network the last time. */
  suspects({ record, before: last }) {
    const isSameNetwork = last !== null && networkOf(last.ip) === networkOf(record.context.ip);
    return !isSameNetwork || last.time > record.time;
  },

  async look({ record, subject, thresholds, since, find, places }) {
    const here = places?.locate(record.context.ip);
    if (!places || !here) return null;
    const from = before(record.time, farBackDays * dayMs);
    const found = await find({ about: subject, type: record.type, from, to: later(record.time) }, mostLookedAt);
    const others = found.filter(
      ({ eventId, time, context }) =>
        eventId !== record.eventId && (since === null || time > since) && places.locate(context.ip) !== null,
    );
    // Whatever the order in which they came: the nearest before it, and the nearest after.
    const near = [others.find(({ time }) => time <= record.time), others.findLast(({ time }) => time > record.time)];
    for (const other of near) {
      const there = other && places.locate(other.context.ip);
      if (!there) continue;
      const km = kmBetween(here, there);
      const hours = Math.abs(Date.parse(record.time) - Date.parse(other.time)) / hourMs;
      if (km < (thresholds['km'] ?? 0) || km / Math.max(hours, 1 / 3_600) < (thresholds['kmPerHour'] ?? 0)) continue;
      const [one, two] = other.time <= record.time ? [there, here] : [here, there];
      const summary = `${one.name}, then ${two.name}: ${Math.round(km)} km in ${hours.toFixed(1)} hours`;
      return { records: [record, other], summary };
    }
    return null;
  },
};
