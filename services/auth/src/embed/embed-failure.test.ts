import { describe, expect, test } from '@jest/globals';
import type { EventDraft } from '@reeve/contracts';
import { type EmbedFailure, met, tellRest, windowMs } from './embed-failure.ts';

const start = Date.parse('2026-11-27T10:00:00.000Z');
const at = (ms: number) => new Date(start + ms);
const page = { origin: 'https://portal.acme.example', authKey: 'subsidiary' };
const code = 'unknown_auth_key';

function tells() {
  let state: EmbedFailure | null = null;
  const take = (decision: ReturnType<typeof met>) => {
    if (decision) ({ state } = decision);
    const events = (decision?.events ?? []) as EventDraft<'embedded_sign_in.failed'>[];
    return events.map(({ details, reason }) => ({ code: reason.code, ...details }));
  };
  return {
    meets: (ms: number, count = 1) => take(met(state, code, { ...page, count, at: at(ms) })),
    looksAgain: (ms: number) => take(tellRest(state, code, at(ms))),
    state: () => state,
  };
}

describe('what pages meet with', () => {
  test('is an event each for the first three in ten minutes, with what the page said', () => {
    const { meets } = tells();
    for (const ms of [0, 1, 2]) expect(meets(ms)).toEqual([{ code, ...page }]);
    expect(meets(3)).toEqual([]);
    expect(meets(windowMs - 1)).toEqual([]);
  });

  test('is one event for all that came beyond, once the ten minutes are over, and says of none what it said', () => {
    const { meets, looksAgain } = tells();
    for (let count = 0; count < 50; count += 1) meets(count);
    expect(looksAgain(windowMs - 1)).toEqual([]);
    const rest = { code, origin: null, authKey: null, count: 47 };
    const [from, to] = [at(0).toISOString(), at(windowMs).toISOString()];
    expect(looksAgain(windowMs)).toEqual([{ ...rest, from, to }]);
    expect(looksAgain(windowMs + 1)).toEqual([]);
    expect(meets(windowMs + 2)).toEqual([{ code, ...page }]);
  });

  test('is not lost where the next one comes before the rest was told', () => {
    const { meets, looksAgain } = tells();
    for (let count = 0; count < 5; count += 1) meets(count);
    expect(meets(windowMs).map(({ count }) => count ?? 1)).toEqual([2, 1]);
    expect(looksAgain(3 * windowMs)).toEqual([]);
  });

  test('adds up where many are noted at once', () => {
    const { meets, looksAgain, state } = tells();
    const told = [...meets(0, 20), ...meets(1, 30), ...looksAgain(windowMs)];
    expect(told.reduce((sum, { count = 1 }) => sum + count, 0)).toBe(50);
    expect(state()).toMatchObject({ count: 50, since: at(0).toISOString(), lastAt: at(1).toISOString(), ...page });
  });
});
