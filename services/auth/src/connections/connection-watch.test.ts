import { describe, expect, test } from '@jest/globals';
import { end, nextRefresh, rest, take, type Watch, wake, watches } from './connection-watch.ts';
import { noMail, owe } from './expiry-mail.ts';

const now = new Date('2026-11-26T12:00:00.000Z');
const later = (ms: number) => new Date(now.getTime() + ms);
const by = { holder: 'a', now, forMs: 60_000 };
const fresh = wake(null, 'look', now);
const taken = take(fresh, by) as Watch;
const nothing = { seen: [], refresh: null, mail: noMail, lookAt: null };

describe('a watch', () => {
  test('is one process’s at a time, and due again when that one is lost', () => {
    expect(watches.dueAt?.(fresh)).toEqual(now);
    expect(take(taken, { ...by, holder: 'b' })).toBeNull();
    expect(watches.dueAt?.(taken)).toEqual(later(60_000));
    expect(take(taken, { ...by, holder: 'b', now: later(60_001) })?.lease).toMatchObject({ holder: 'b' });
  });

  test('is due when the first of what it waits for is', () => {
    const refresh = { at: later(2_000).toISOString(), failures: 0 };
    expect(rest(taken, { ...nothing, refresh, lookAt: later(1_000) }, now).dueAt).toBe(later(1_000).toISOString());
    expect(rest(taken, { ...nothing, refresh, lookAt: later(3_000) }, now).dueAt).toBe(refresh.at);
    const mail = owe(noMail, { id: 'evt_1', now: later(500) });
    expect(rest(taken, { ...nothing, refresh, mail, lookAt: later(1_000) }, now).dueAt).toBe(later(500).toISOString());
    expect(rest(taken, nothing, now).dueAt).toBeNull();
  });

  test('that is woken while somebody has it is due as soon as they are done', () => {
    const refresh = { at: later(90_000).toISOString(), failures: 2 };
    const woken = wake(wake({ ...taken, refresh }, 'refresh', now), 'look', now);
    expect(woken).toMatchObject({ lease: taken.lease, again: 'refresh' });
    expect(rest(woken, { ...nothing, refresh }, later(10))).toMatchObject({
      dueAt: later(10).toISOString(),
      refresh: { at: later(10).toISOString(), failures: 2 },
      again: null,
      lease: null,
    });
  });

  test('that is woken to read again does so, also where nobody has looked so far', () => {
    expect(wake(null, 'refresh', now).refresh).toEqual({ at: now.toISOString(), failures: 0 });
    expect(wake(fresh, 'look', now).refresh).toBeNull();
  });

  test('of a connection that is gone is gone too', () => {
    expect(watches.dueAt?.(end(taken, now))).toBeNull();
    expect(watches.expiresAt?.(end(taken, now))).toEqual(now);
  });
});

describe('what is read again', () => {
  const everyMs = 6 * 3_600_000;
  const inMs = (failures: number, random: number) =>
    Date.parse(nextRefresh(failures, { now, everyMs, random: () => random }).at) - now.getTime();

  test('is read at its interval, spread by a tenth to either side', () => {
    expect([0, 0.5, 1].map(random => inMs(0, random) / everyMs)).toEqual([0.9, 1, 1.1]);
  });

  test('is tried again soon after it failed, then ever later, and at its interval at the latest', () => {
    expect([1, 2, 3, 9, 10, 1_000].map(failures => inMs(failures, 0.5) / 60_000)).toEqual([1, 2, 4, 256, 360, 360]);
  });
});
