import { describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import type { Decision } from '@reeve/store';
import { begin, changeRole, end, reauthenticate, type Session, sessions } from './session.ts';

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
const types = (decision: Decision<Session>) => decision?.events.map(({ type }) => type);

describe('a session', () => {
  test('begins with a sign-in', () => {
    expect(types(begin(id, fresh))).toEqual(['sign_in.succeeded', 'session.created']);
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
    const again = reauthenticate(live, later);
    expect(types(again)).toEqual(['sign_in.succeeded']);
    expect(again?.state).toMatchObject({
      authenticatedAt: later.authenticatedAt,
      amr: ['mfa'],
      expiresAt: live.expiresAt,
    });
    expect(reauthenticate({ ...live, status: 'revoked' }, later)).toBeNull();
  });

  test('has the roles that came and not those that went, without a word to anybody', () => {
    const more = changeRole(live, 'tenant_admin', true);
    expect(more?.state.roles).toEqual(['tenant_member', 'tenant_admin']);
    expect(types(more)).toEqual([]);
    expect(changeRole(live, 'tenant_member', false)?.state.roles).toEqual([]);
    expect(changeRole(live, 'tenant_member', true)).toBeNull();
    expect(changeRole({ ...live, status: 'revoked' }, 'tenant_admin', true)).toBeNull();
  });

  test('counts until it expires, also where it was stored before sessions had a method', () => {
    expect(sessions.expiresAt?.(live)).toEqual(new Date(live.expiresAt));
    const { method: _, ...before } = live;
    expect(sessions.upgrade?.(before, 1)).toEqual(live);
  });
});
