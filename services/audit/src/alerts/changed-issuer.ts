import { before, hourMs, type Rule, textOf, threshold, wasNotLookedAtLately } from './rule.ts';

const mostLookedAt = 200;
const connectionChanges = [
  'connection.created',
  'connection.updated',
  'connection.activated',
  'connection.rolled_back',
] as const;

export const changedIssuer: Rule = {
  title: 'SSO was changed, and somebody signed in through an issuer that is new',
  severity: 'critical',
  triggers: ['sign_in.succeeded'],
  thresholds: { hours: threshold(24, 'hours after the change', [1, 720]) },
  subjectOf: ({ context }) => context.connectionId,
  suspects: wasNotLookedAtLately,
  renewedBy: connectionChanges,

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
