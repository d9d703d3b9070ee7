import type { AuditRecord } from '@reeve/audit-log';
import { adminRole } from './admins.ts';
import { before, dayMs, type Look, type Rule, textOf, threshold, wasAwayForADay } from './rule.ts';

const mostLookedAt = 200;

/** When the user was made an administrator; null where the user is none. */
async function adminSince({ find, record, subject }: Look): Promise<AuditRecord | null> {
  const newest = async (type: string) => {
    const found = await find({ about: subject, type, to: record.time }, mostLookedAt);
    return found.find(({ details }) => details['role'] === adminRole);
  };
  const [given, taken] = [await newest('role.assigned'), await newest('role.unassigned')];
  return given && (!taken || taken.time < given.time) ? given : null;
}

export const dormantAdmin: Rule = {
  title: 'An administrator is back after a long time',
  severity: 'medium',
  triggers: ['sign_in.succeeded'],
  thresholds: { days: threshold(90, 'days without a sign-in, at least', [1, 3_650]) },
  subjectOf: ({ details }) => textOf(details['userId']),
  suspects: wasAwayForADay,
  concerns: (userId, { mayBeAdmin }) => mayBeAdmin(userId),

  async look(look) {
    const { record, subject, thresholds, find } = look;
    const quietSince = before(record.time, (thresholds['days'] ?? 0) * dayMs);
    const [last] = await find({ about: subject, type: record.type, to: before(record.time, 1) }, 1);
    if (last && last.time > quietSince) return null;
    const admin = await adminSince(look);
    if (!admin || (!last && admin.time > quietSince)) return null;
    const summary = last ? `no sign-in since ${last.time}` : `an administrator since ${admin.time}, never signed in`;
    return { records: [record, last ?? admin], summary };
  },
};
