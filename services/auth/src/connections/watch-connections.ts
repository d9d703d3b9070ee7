// Looks at connections when it is time: warns of what ends, by an event and by mail, and reads again what an identity
// provider says of itself. One process at a time does it for a connection.
import { metrics } from '@opentelemetry/api';
import { type EventDraft, event, type Id, newEventId, serviceCause } from '@reeve/contracts';
import { type Held, leased, worker } from '@reeve/service-kit';
import type { Clock, Entry } from '@reeve/store';
import type { MailBudget } from '../mail/mail-budget.ts';
import { isRefused, type Mailer } from '../mail/mailer.ts';
import type { Connection, Connections } from './connection.ts';
import { end, nextRefresh, type Refresh, rest, take, type Watch, type Watches, wake } from './connection-watch.ts';
import { type Due, type Expiry, expiring, look, nextLook } from './expiry.ts';
import { done, expiryMail, failed, isDue, type Mailing, owe, putOff } from './expiry-mail.ts';
import type { Kinds } from './kinds/registry.ts';
import { type RefreshMetadata, refreshOf } from './metadata-refresh.ts';

type Parts = {
  watches: Watches;
  connections: Connections;
  kinds: Kinds;
  refreshMetadata: RefreshMetadata;
  /** Null where no mail is sent. */
  mailer: Mailer | null;
  mailBudget: MailBudget;
  clock: Clock;
  /** How often what a provider says of itself is read again. */
  refreshEveryMs: number;
  random?: () => number;
  everyMs?: number;
  onError: (error: unknown) => void;
};

const warnings = metrics.getMeter('@reeve/auth').createCounter('reeve.connections.expiry_warnings', {
  description: 'Warnings of certificates, metadata and secrets of connections that end',
});
/** Few and closed: the days at which it is said are more, and those of what is late are any. */
const withins = [0, 7, 30] as const;
const withinOf = (daysLeft: number): number => withins.find(days => daysLeft <= days) ?? 30;
// A counter that is first seen at one has not risen, for whoever asks how much it rose.
for (const what of expiring) for (const within of withins) warnings.add(0, { what, within_days: within });

/** More than a provider is waited for. */
const leaseMs = 60_000;
const atOnce = 8;
/** A tenant whose providers are slow is not in everybody's way. */
const ofOneTenant = 2;

export function watchConnections(parts: Parts) {
  const { watches, connections, kinds, refreshMetadata, mailer, mailBudget, clock } = parts;
  const { refreshEveryMs, everyMs = 5_000, onError } = parts;
  const random = parts.random ?? Math.random;
  const after = (failures: number) => nextRefresh(failures, { now: clock.now(), everyMs: refreshEveryMs, random });

  /** When it is read the next time, and the connection as it is then. */
  async function refreshed(turn: Held<Watch>, entry: Entry<Connection>) {
    const before = turn.state.refresh;
    if (!refreshOf(kinds, entry.state)) return { refresh: null, entry };
    // It was read when it was set.
    if (!before) return { refresh: after(0), entry };
    if (before.at > clock.now().toISOString()) return { refresh: before, entry };
    const cause = serviceCause('auth', { correlationId: newEventId() });
    const asked = { tenantId: turn.tenantId, entry, because: 'scheduled' as const, cause };
    const { problem, entry: now } = await refreshMetadata(asked);
    const refresh: Refresh = after(problem ? before.failures + 1 : 0);
    return { refresh, entry: now };
  }

  /** It says what is true now: what was mended since it was owed is not told. */
  async function mailed({ tenantId, state }: Held<Watch>, entry: Entry<Connection>, expiries: readonly Expiry[]) {
    const mailing: Mailing = state.mail;
    if (!mailer || !mailing.owed || !isDue(mailing, clock.now())) return mailing;
    const mail = expiryMail(entry, expiries, clock.now());
    if (!mail) return done(mailing, { sentAt: null });
    const cause = serviceCause('auth', { correlationId: newEventId() });
    const isSent = mail.to.length > 0 && (await mailBudget.take(tenantId, mail.to.length, cause));
    if (!isSent) return putOff(mailing, clock.now());
    try {
      await mailer.send({ ...mail, id: mailing.owed.id });
      return done(mailing, { sentAt: clock.now() });
    } catch (error) {
      onError(error);
      return isRefused(error) ? done(mailing, { sentAt: clock.now() }) : failed(mailing, clock.now());
    }
  }

  async function work(turn: Held<Watch>): Promise<void> {
    const found = await connections.in(turn.tenantId).get(turn.id);
    const { refresh, entry } = found ? await refreshed(turn, found) : { refresh: null, entry: null };
    const now = clock.now();
    if (!entry) return void (await turn.change(was => end(was, now)));
    const expiries = kinds[entry.state.kind].expiries(entry.state.settings);
    const { due, seen } = look(expiries, turn.state.seen, now);
    const lookAt = nextLook(expiries, seen, now);
    const sent = await mailed(turn, entry, expiries);
    const mail = mailer && due.length > 0 ? owe(sent, { id: clock.newEventId(), now }) : sent;
    // What is said and that it was said are one write, by whoever has the lease.
    await turn.change(
      was => rest(was, { seen, refresh, mail, lookAt }, now),
      due.map(one => warning(entry, one)),
    );
    for (const { expiry, daysLeft } of due) warnings.add(1, { what: expiry.what, within_days: withinOf(daysLeft) });
  }

  const reason = 'what ends of the connections of all tenants, and what is read again for them';
  const looking = worker({
    ...leased({ collection: watches, reason, take, forMs: leaseMs, clock, service: 'auth' }),
    work,
    atOnce,
    ofOneTenant,
    everyMs,
    onError,
  });

  /** Those that an earlier version made, of which no event told anybody who watched. */
  async function watchAll(): Promise<void> {
    const cause = serviceCause('auth', { correlationId: newEventId() });
    for await (const { tenantId, id } of connections.acrossTenants(reason).all()) {
      if (looking.isStopped()) return;
      const decide = (was: Watch | null) => (was ? null : { state: wake(null, 'look', clock.now()), events: [] });
      await watches.in(tenantId).change(id, decide, { cause });
    }
  }

  let watching: Promise<void> | undefined;

  return {
    start(): void {
      watching = watchAll().catch(onError);
      looking.start();
    },

    async stop(): Promise<void> {
      await looking.stop();
      await watching;
    },
  };
}

function warning({ id, state }: Entry<Connection>, { expiry, daysLeft }: Due): EventDraft {
  const { what, name, at } = expiry;
  return event('connection.certificate_expiring', {
    id: id as Id<'connection'>,
    name: state.name,
    because: daysLeft === 0 ? 'expired' : 'expires_soon',
    details: { what, name, expiresAt: at.toISOString(), daysLeft },
  });
}
