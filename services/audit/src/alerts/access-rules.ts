// Rules about who has access and has not used it, or uses it for the first time.
import type { AuditRecord } from '@reeve/audit-log';
import { before, dayMs, hourMs, type Look, type Rule, textOf, threshold } from './rule.ts';

const adminRole = 'tenant_admin';
const mostLookedAt = 200;
const connectionChanges = ['connection.created', 'connection.updated', 'connection.activated'];

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
  async look(look) {
    const { record, subject, thresholds, find } = look;
    const quietSince = before(record.time, (thresholds['days'] ?? 0) * dayMs);
    const signIns = await find({ about: subject, type: record.type, to: before(record.time, 1) }, 1);
    const [last] = signIns;
    if (last && last.time > quietSince) return null;
    const admin = await adminSince(look);
    if (!admin || (!last && admin.time > quietSince)) return null;
    const summary = last ? `no sign-in since ${last.time}` : `an administrator since ${admin.time}, never signed in`;
    return { records: [record, last ?? admin], summary };
  },
};

export const newReader: Rule = {
  title: 'Token material is read by somebody who never did',
  severity: 'high',
  triggers: ['delegated_token.leased'],
  thresholds: {
    days: threshold(30, 'days in which the reader read none', [1, 365]),
    earlier: threshold(20, 'reads by others in these days, at least: without them nothing is usual', [1, mostLookedAt]),
  },
  subjectOf: ({ actor }) => actor.id,
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

export const changedIssuer: Rule = {
  title: 'SSO was changed, and somebody signed in through an issuer that is new',
  severity: 'critical',
  triggers: ['sign_in.succeeded'],
  thresholds: { hours: threshold(24, 'hours after the change', [1, 720]) },
  subjectOf: ({ context }) => context.connectionId,
  async look({ record, subject, thresholds, since, find }) {
    const from = before(record.time, (thresholds['hours'] ?? 0) * hourMs);
    // By type, since sign-ins through the connection are about it, too, and there may be very many.
    const of = (type: string) => find({ target: subject, type, from, to: record.time }, mostLookedAt);
    const found = (await Promise.all(connectionChanges.map(of))).flat();
    const changes = found
      .filter(({ time }) => since === null || time > since)
      .toSorted((one, other) => (one.time < other.time ? 1 : -1));
    const [newest, oldest] = [changes[0], changes.at(-1)];
    const issuer = textOf(newest?.details['issuer']);
    if (!newest || !oldest || issuer === null) return null;
    // The first SSO of a tenant is new by nature: nobody could have signed in before.
    const signedInBefore = await find({ type: record.type, to: oldest.time }, 1);
    if (signedInBefore.length === 0) return null;
    const known = await find({ type: 'connection.activated', to: before(oldest.time, 1) }, mostLookedAt);
    if (known.some(({ details }) => details['issuer'] === issuer)) return null;
    return { records: [record, newest], summary: `the issuer ${issuer} was set at ${newest.time} and is new here` };
  },
};
