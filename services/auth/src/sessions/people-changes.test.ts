import { describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import { noted, type PersonChange, since } from './people-changes.ts';

const at = (second: number) => new Date(Date.parse('2026-11-25T12:00:00.000Z') + second * 1_000);
const sessionId = newId('session');
const lookedUp = (second: number) => ({ lookedUpAt: at(second), sessionId });
const nothingHeld = { roles: {}, groups: {} };
const iso = (second: number) => at(second).toISOString();

const after = (...changes: Parameters<typeof noted>[1][]): PersonChange | null =>
  changes.reduce<PersonChange | null>((known, change) => noted(known, change) ?? known, null);

describe('what has changed about a person', () => {
  test('is the latest of each, in whatever order it is learnt', () => {
    const told = [
      { at: iso(1), holding: 'roles' as const, name: 'tenant_admin', isHeld: true },
      { at: iso(3), holding: 'roles' as const, name: 'tenant_admin', isHeld: false },
      { at: iso(1), holding: 'groups' as const, name: 'grp_1', isHeld: true },
      { at: iso(2), active: false },
    ];
    const expected = {
      active: { is: false, at: iso(2) },
      roles: { tenant_admin: { isHeld: false, at: iso(3) } },
      groups: { grp_1: { isHeld: true, at: iso(1) } },
      changedAt: iso(3),
    };
    expect(after(...told)).toEqual(expected);
    expect(after(...told.toReversed())).toEqual(expected);
  });

  test('is learnt once: what comes twice changes nothing', () => {
    const once = after({ at: iso(1), active: false });
    expect(noted(once, { at: iso(1), active: false })).toBeNull();
    expect(noted(once, { at: iso(0), active: true })).toBeNull();
  });

  test('matters to somebody who was looked up before it, or hardly after', () => {
    const change = after(
      { at: iso(60), active: false },
      { at: iso(60), holding: 'roles', name: 'tenant_admin', isHeld: false },
      { at: iso(60), holding: 'groups', name: 'grp_1', isHeld: true },
    );
    const held = { roles: { tenant_admin: false }, groups: { grp_1: true } };
    expect(since(change, lookedUp(0))).toEqual({ isGone: true, signedOut: null, held });
    expect(since(change, lookedUp(63))).toEqual({ isGone: true, signedOut: null, held });
    expect(since(change, lookedUp(70))).toEqual({ isGone: false, signedOut: null, held: nothingHeld });
  });

  test('is nothing where nothing is known, and being active again is not being gone', () => {
    expect(since(null, lookedUp(0))).toEqual({ isGone: false, signedOut: null, held: nothingHeld });
    expect(since(after({ at: iso(1), active: false }, { at: iso(2), active: true }), lookedUp(0)).isGone).toBe(false);
  });

  test('is that somebody signed them out, for whoever was looked up before and for nobody after', () => {
    const signedOut = 'global_token_revocation';
    const change = after({ at: iso(60), signedOut }, { at: iso(10), signedOut: 'terminated' });
    expect(since(change, lookedUp(59)).signedOut).toBe(signedOut);
    expect(since(change, lookedUp(60)).signedOut).toBeNull();
    expect(after({ at: iso(60), signedOut }, { at: iso(70), active: true })).toMatchObject({
      active: { is: true },
      signedOut: { because: signedOut },
      changedAt: iso(70),
    });
  });

  test('is that all but one were signed out, for all but that one', () => {
    const change = after({ at: iso(60), signedOut: 'ended_by_owner', except: sessionId });
    expect(since(change, lookedUp(59)).signedOut).toBeNull();
    expect(since(change, { ...lookedUp(59), sessionId: newId('session') }).signedOut).toBe('ended_by_owner');
  });
});
