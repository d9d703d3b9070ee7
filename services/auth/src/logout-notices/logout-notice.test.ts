import { describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import { delivered, failed, type LogoutNotice, owe, take } from './logout-notice.ts';

const at = (seconds: number) => new Date(1_800_000_000_000 + seconds * 1_000);
const about = { sessionId: newId('session'), userId: newId('user'), clientId: newId('client') };
const owed = owe(about, at(0));
const by = (now: Date) => ({ holder: 'one', now, forMs: 30_000 });

describe('a notice', () => {
  test('that is owed is due at once, for one process at a time', () => {
    const taken = take(owed, by(at(0)));
    expect(taken).toMatchObject({ dueAt: at(30).toISOString(), lease: { holder: 'one' } });
    expect(take(taken ?? owed, { ...by(at(1)), holder: 'other' })).toBeNull();
  });

  test('that was delivered is due no more', () => {
    expect(delivered(owed, at(1))).toMatchObject({ status: 'delivered', dueAt: null, attempts: 1 });
    expect(take(delivered(owed, at(1)), by(at(2)))).toBeNull();
  });

  test('that fails is tried for a day, ever more slowly, and then it is on the record, once', () => {
    let notice: LogoutNotice = owed;
    const waits: number[] = [];
    const told: string[] = [];
    let now = at(0);
    while (notice.status === 'owed') {
      const { state, events } = failed(notice, 'unreachable', { now, jitter: 1 });
      told.push(...events.map(({ type }) => type));
      if (state.dueAt !== null) {
        waits.push(Date.parse(state.dueAt) - now.getTime());
        now = new Date(state.dueAt);
      }
      notice = state;
    }
    expect(waits.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(Math.max(...waits)).toBe(900_000);
    expect(now.getTime() - at(0).getTime()).toBeGreaterThan(23 * 3_600_000);
    expect(notice).toMatchObject({ status: 'given_up', dueAt: null, lastFailure: 'unreachable' });
    expect(told).toEqual(['session.logout_undelivered']);
  });
});
