import { describe, expect, test } from '@jest/globals';
import { follow, type KeysOfUse, signingKeys, staged } from './signing-key.ts';

const at = new Date('2026-11-26T12:00:00.000Z');
const later = (seconds: number) => new Date(at.getTime() + seconds * 1_000);
const stagesAt = (state: KeysOfUse, now: Date) => staged(state, now).map(({ keyId, stage }) => `${keyId} ${stage}`);
const usual = { use: 'accessToken', because: 'requested', leadMs: 600_000 } as const;
const one = follow(null, { ...usual, keyId: 'one', at, because: 'first_start', leadMs: 0 }).state;

describe('a signing key', () => {
  test('that follows another is shown first, then signs, and the one before is shown for a day', () => {
    const { state: two } = follow(one, { ...usual, keyId: 'two', at });
    expect(stagesAt(one, at)).toEqual(['one signing']);
    expect(stagesAt(two, later(599))).toEqual(['one signing', 'two next']);
    expect(stagesAt(two, later(600))).toEqual(['two signing', 'one verifying']);
    expect(stagesAt(two, later(600 + 86_399))).toEqual(['two signing', 'one verifying']);
    expect(stagesAt(two, later(600 + 86_400))).toEqual(['two signing']);
  });

  test('is followed by one at a time', () => {
    const { state: two } = follow(one, { ...usual, keyId: 'two', at });
    expect(() => follow(two, { ...usual, keyId: 'three', at: later(599) })).toThrow('A key is to follow already');
    const { state: three } = follow(two, { ...usual, keyId: 'three', at: later(600) });
    expect(stagesAt(three, later(1_200))).toEqual(['three signing', 'two verifying', 'one verifying']);
    // The one before the last is not shown for longer by it.
    expect(stagesAt(three, later(600 + 86_400))).toEqual(['three signing', 'two verifying']);
  });

  test('that is compromised is gone at once, with those that wait and those from before', () => {
    const { state: two } = follow(one, { ...usual, keyId: 'two', at });
    const { state, events } = follow(two, { ...usual, keyId: 'new', at: later(10), because: 'compromised' });
    expect(stagesAt(state, later(10))).toEqual(['new signing']);
    expect(events).toMatchObject([{ type: 'signing_key.rotated' }]);
  });

  test('from before that was kept signs on', () => {
    expect(stagesAt(signingKeys.upgrade?.({ keyId: 'old' }, 1) as KeysOfUse, at)).toEqual(['old signing']);
  });
});
