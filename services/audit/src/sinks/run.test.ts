import { describe, expect, test } from '@jest/globals';
import { afterDelivery, afterFailure, newRun, type Run, release, startAfresh, switchedTo, take } from './run.ts';

const now = new Date('2026-11-25T12:00:00.000Z');
const at = (ms: number) => new Date(now.getTime() + ms).toISOString();
const run = (changes: Partial<Run> = {}): Run => ({ ...newRun({ 'a/0': 7 }, now), ...changes });
const waited = ({ dueAt }: Run) => Date.parse(dueAt ?? '') - now.getTime();
const failure = { code: 'busy', detail: 'it answered 503', at: at(0) } as const;

describe('the run of a sink', () => {
  test('is taken by one, and is due again when the lease ends', () => {
    const taken = take(run(), { holder: 'a', now, forMs: 90_000 });
    expect(taken).toEqual(run({ lease: { holder: 'a', until: at(90_000) }, dueAt: at(90_000) }));
  });

  test('stays with whoever has it until the lease ends', () => {
    const leased = run({ lease: { holder: 'a', until: at(1) } });
    expect(take(leased, { holder: 'b', now, forMs: 1_000 })).toBe(null);
    expect(take(leased, { holder: 'a', now, forMs: 1_000 })?.lease).toEqual({ holder: 'a', until: at(1_000) });
    const over = run({ lease: { holder: 'a', until: at(0) } });
    expect(take(over, { holder: 'b', now, forMs: 5 })?.lease?.holder).toBe('b');
  });

  test('is not taken while it is paused', () => {
    const paused = switchedTo(run(), 'paused', now);
    expect(paused && take(paused, { holder: 'a', now, forMs: 1_000 })).toBe(null);
    expect(switchedTo(run(), 'active', now)).toBe(null);
  });

  test('is given back with a time to look again', () => {
    const leased = run({ lease: { holder: 'a', until: at(9) }, attempts: 2 });
    expect(release(leased, { now, waitMs: 2_000 })).toEqual(run({ dueAt: at(2_000), attempts: 2 }));
  });

  test('that was changed is due at once, whoever has it', () => {
    const leased = run({ lease: { holder: 'a', until: at(9) }, attempts: 9, dueAt: at(300_000) });
    expect(startAfresh(leased, now)).toEqual(run());
  });

  test.each([
    [0, 1_000],
    [1, 2_000],
    [5, 32_000],
    [9, 300_000],
    [2_000, 300_000],
  ])('that failed %i times before waits between half of %i ms and all of it', (attempts, ms) => {
    expect(waited(afterFailure(run({ attempts }), { failure, now, jitter: 1 }))).toBe(ms);
    expect(waited(afterFailure(run({ attempts }), { failure, now, jitter: 0 }))).toBe(ms / 2);
    expect(afterFailure(run({ attempts }), { failure, now, jitter: 1 })).toMatchObject({
      attempts: attempts + 1,
      lease: null,
      lastError: failure,
    });
  });

  test('that is asked to wait waits that long, but not for ever', () => {
    expect(waited(afterFailure(run(), { failure, now, jitter: 0, retryAfterMs: 30_000 }))).toBe(30_000);
    expect(waited(afterFailure(run(), { failure, now, jitter: 0, retryAfterMs: Infinity }))).toBe(300_000);
  });

  test('has batches that halve while they are too large, and double again when they are taken', () => {
    const tooLarge = { failure: { ...failure, code: 'too_large' }, now, jitter: 1 } as const;
    const halved = afterFailure(run(), tooLarge);
    expect([halved.batchSize, waited(halved)]).toEqual([250, 0]);
    const single = afterFailure(run({ batchSize: 1 }), tooLarge);
    expect([single.batchSize, waited(single)]).toEqual([1, 1_000]);
    const delivery = { position: { 'a/0': 9 }, checkpoint: 1, delivered: 2, refused: 0, now };
    expect(afterDelivery(halved, delivery)).toMatchObject({ batchSize: 500, attempts: 0, lastError: null });
  });
});
