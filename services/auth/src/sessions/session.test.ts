import { describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import type { Decision } from '@reeve/store';
import { acrOf, amrOf } from '../factors/level.ts';
import type { SurfacePolicy } from '../surface-policies/surface-policy.ts';
import {
  begin,
  changeHeld,
  end,
  lapse,
  overAt,
  overAtElsewhere,
  reauthenticate,
  type Session,
  sessions,
  settle,
  stepUp,
  use,
} from './session.ts';

const id = newId('session');
const fresh: Omit<Session, 'status'> = {
  userId: newId('user'),
  email: 'ada@acme.example',
  emailVerified: true,
  displayName: 'Ada',
  profile: { givenName: 'Ada', familyName: null, locale: null },
  roles: ['tenant_member'],
  connectionId: newId('connection'),
  method: 'oidc',
  providerSubject: null,
  providerSession: null,
  applications: [],
  surface: 'console',
  amr: ['fed'],
  acr: null,
  ip: null,
  userAgent: null,
  createdAt: '2026-11-25T00:00:00.000Z',
  authenticatedAt: '2026-11-25T00:00:00.000Z',
  expiresAt: '2026-11-25T12:00:00.000Z',
};
const live: Session = { ...fresh, status: 'live' };
const policy: SurfacePolicy = {
  idleSeconds: 1_800,
  absoluteSeconds: 8 * 3_600,
  deviceChange: 'ignore',
  providerLogout: true,
};
/** So many seconds after it began. */
const at = (seconds: number) => new Date(Date.parse(live.createdAt) + seconds * 1_000).toISOString();
const types = (decision: Decision<Session>) => decision?.events.map(({ type }) => type);

describe('a session', () => {
  test('begins with a sign-in', () => {
    expect(types(begin(id, fresh))).toEqual(['sign_in.succeeded', 'session.created']);
  });

  test('that somebody acts for the person in begins without a sign-in, and holds its delegation while it is live', () => {
    const delegate = { clientId: newId('client'), name: 'Notes', by: 'bot', key: 'k' } as const;
    const begun = begin(id, { ...fresh, delegate });
    expect(begun.events).toMatchObject([
      { type: 'session.created', reason: { code: 'delegated' }, details: { clientId: delegate.clientId, by: 'bot' } },
    ]);
    const { delegate: key } = sessions.unique ?? {};
    expect(key?.(begun.state, id)).toBe(`bot ${delegate.clientId} k`);
    expect(key?.(live, id)).toBeNull();
    const ended = end(id, begun.state, 'terminated');
    expect(ended && key?.(ended.state, id)).toBeNull();
  });

  test('ends once, and whoever holds its access tokens learns of it until the last has expired', () => {
    const ended = end(id, live, 'terminated');
    expect(types(ended)).toEqual(['session.revoked', 'session.revoked']);
    const told = ended?.events.find(draft => 'topic' in draft);
    expect(told && 'topic' in told && JSON.parse(Buffer.from(told.data).toString())).toEqual({
      kind: 'session',
      id,
      userId: live.userId,
      until: live.expiresAt,
    });
    expect(end(id, { ...live, status: 'revoked' }, 'signed_out')).toBeNull();
  });

  test('goes on with another sign-in of the same person: how and when are new, since when it lasts is not', () => {
    const later = {
      ...fresh,
      authenticatedAt: '2026-11-25T06:00:00.000Z',
      expiresAt: '2026-11-25T18:00:00.000Z',
      amr: ['mfa'],
    };
    const again = reauthenticate(id, live, later);
    expect(types(again)).toEqual(['sign_in.succeeded']);
    expect(again?.state).toMatchObject({
      authenticatedAt: later.authenticatedAt,
      amr: ['mfa'],
      expiresAt: live.expiresAt,
    });
    expect(reauthenticate(id, { ...live, status: 'revoked' }, later)).toBeNull();
  });

  test('tells of a level that was reached, as long as neither another sign-in nor the loss of its factor comes', () => {
    const reached = {
      level: 'mfa',
      by: 'totp',
      factorId: newId('factor'),
      amr: ['otp', 'mfa'],
      at: '2026-11-25T07:00:00.000Z',
    } as const;
    const more = stepUp(id, live, { ...reached, amr: [...reached.amr] });
    expect(types(more)).toEqual(['step_up.succeeded']);
    const state = more?.state ?? live;
    expect(acrOf(state)).toBe('urn:reeve:acr:mfa');
    expect(amrOf(state)).toEqual([...live.amr, 'otp', 'mfa']);
    expect(acrOf(reauthenticate(id, state, fresh)?.state ?? state)).toBe(live.acr);
    expect(lapse(state, [newId('factor')])).toBeNull();
    expect(acrOf(lapse(state, [reached.factorId])?.state ?? state)).toBe(live.acr);
    expect(lapse(live, [reached.factorId])).toBeNull();
    expect(stepUp(id, { ...live, status: 'revoked' }, { ...reached, amr: [] })).toBeNull();
  });

  test('has the roles and groups that came and not those that went, without a word to anybody', () => {
    const more = changeHeld(live, 'roles', { tenant_admin: true });
    expect(more?.state.roles).toEqual(['tenant_member', 'tenant_admin']);
    expect(types(more)).toEqual([]);
    expect(changeHeld(live, 'roles', { tenant_member: false, tenant_admin: false })?.state.roles).toEqual([]);
    expect(changeHeld(live, 'roles', { tenant_member: true })).toBeNull();
    expect(changeHeld({ ...live, status: 'revoked' }, 'roles', { tenant_admin: true })).toBeNull();
    // One from before there were groups.
    expect(changeHeld(live, 'groups', { grp_1: false })).toBeNull();
    expect(changeHeld(live, 'groups', { grp_1: true })?.state).toMatchObject({ groups: ['grp_1'], roles: live.roles });
  });

  test('is looked at when it may be over, and is read where it was stored before sessions had a method', () => {
    expect(sessions.dueAt?.(live)).toEqual(new Date(live.expiresAt));
    expect(sessions.dueAt?.({ ...live, overAt: at(60) })).toEqual(new Date(at(60)));
    expect(sessions.dueAt?.({ ...live, status: 'revoked' })).toBeNull();
    const { method: _, ...before } = live;
    expect(sessions.upgrade?.(before, 1)).toEqual(live);
  });
});

describe('the limits of a session', () => {
  const seenAt = (seconds: number): Session => ({ ...live, lastSeenAt: at(seconds) });

  test('are when it was last used, when it began, and its own end, whichever is first', () => {
    expect(overAt(live, policy)).toBe(at(1_800));
    expect(overAt(seenAt(7 * 3_600), policy)).toBe(at(7.5 * 3_600));
    expect(overAt(seenAt(8 * 3_600 - 1), policy)).toBe(at(8 * 3_600));
    expect(overAt(seenAt(100), { ...policy, idleSeconds: null })).toBe(at(8 * 3_600));
    expect(overAt({ ...live, expiresAt: at(60) }, policy)).toBe(at(60));
    expect(overAt(live, { ...policy, idleSeconds: null, absoluteSeconds: 90 * 86_400 })).toBe(live.expiresAt);
  });

  test('of another surface count from the last sign-in', () => {
    const again = { ...seenAt(7.9 * 3_600), signedInAt: at(7.9 * 3_600) };
    expect(overAtElsewhere(again, { ...policy, absoluteSeconds: 600 })).toBe(at(7.9 * 3_600 + 600));
  });

  const now = (seconds: number) => ({ now: new Date(at(seconds)), policy });

  test('end it once, by its time or since it was not used', () => {
    const idle = settle(id, live, now(1_800));
    expect(idle?.events).toMatchObject([
      { type: 'session.expired', reason: { code: 'idle' } },
      { topic: 'reeve.revocations.v1' },
    ]);
    expect(settle(id, idle?.state ?? live, now(1_900))).toBeNull();
    const used = seenAt(8 * 3_600 - 60);
    expect(settle(id, used, now(8 * 3_600))?.events).toMatchObject([{ reason: { code: 'expired' } }, {}]);
    const own = { ...seenAt(12 * 3_600 - 60), createdAt: at(12 * 3_600 - 60) };
    // Whose tokens are over as well.
    expect(settle(id, own, now(12 * 3_600))?.events).toMatchObject([{ reason: { code: 'expired' } }]);
    expect(end(id, { ...live, status: 'expired' }, 'terminated')).toBeNull();
  });

  test('are looked at again where it was used in the meantime', () => {
    const used = settle(id, { ...seenAt(1_700), overAt: at(1_800) }, now(1_800));
    expect([used?.state.overAt, used?.state.status, used?.events]).toEqual([at(3_500), 'live', []]);
    expect(settle(id, used?.state ?? live, now(1_800))).toBeNull();
  });

  test('move with use, which is noted every few minutes, and at once at another application', () => {
    const been = { ...live, applications: ['app_1'] };
    const by = (clientId: string, seconds: number) => ({ clientId, now: new Date(at(seconds)) });
    expect(use(been, by('app_1', 100), policy)).toBeNull();
    expect(use(been, by('app_1', 200), policy)?.state).toMatchObject({ lastSeenAt: at(200), overAt: at(2_000) });
    expect(use(been, by('app_2', 100), policy)?.state).toMatchObject({ applications: ['app_1', 'app_2'] });
    expect(use({ ...been, status: 'revoked' }, by('app_2', 100), policy)).toBeNull();
    expect(use(been, by('app_1', 800), { ...policy, idleSeconds: null })).toBeNull();
  });
});
