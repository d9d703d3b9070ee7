import { describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import { type Answer, asOneText, consentText, deny, grant, revoke, viewOf } from './consent.ts';

const id = newId('consent');
const now = new Date('2026-11-25T12:00:00.000Z');
const answer: Answer = {
  installationId: newId('installation'),
  userId: newId('user'),
  connectorName: 'Calendar',
  scopes: ['read'],
  text: 'What was shown.',
  answeredAt: now.toISOString(),
  until: '2027-02-23T12:00:00.000Z',
};
const granted = grant(id, answer);

describe('a consent', () => {
  test('says in its event to what, until when, and in which words, by their hash', () => {
    const { installationId, userId, scopes, until } = answer;
    expect(granted.state).toEqual({ ...answer, status: 'granted' });
    expect(granted.events).toMatchObject([
      {
        type: 'consent.granted',
        target: { id, name: 'Calendar' },
        outcome: 'success',
        reason: { code: 'person_agreed' },
        details: {
          installationId,
          userId,
          scopes,
          expiresAt: until,
          textSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        },
      },
    ]);
  });

  test('that is denied is a refusal on the record', () => {
    expect(deny(id, answer)).toMatchObject({
      state: { status: 'denied' },
      events: [{ type: 'consent.denied', outcome: 'denied', reason: { code: 'person_refused' } }],
    });
  });

  test.each(['requested', 'ended_by_owner', 'uninstalled', 'user_deactivated', 'user_deleted'] as const)(
    'is revoked because: %s',
    why => {
      expect(revoke(id, granted.state, why)).toMatchObject({
        state: { ...answer, status: 'revoked' },
        events: [{ type: 'consent.revoked', reason: { code: why }, details: { cause: why, scopes: ['read'] } }],
      });
    },
  );

  test('that has ended, or was never given, is left as it is', () => {
    expect(revoke(id, { ...granted.state, status: 'revoked' }, 'uninstalled')).toBeNull();
    expect(revoke(id, deny(id, answer).state, 'uninstalled')).toBeNull();
  });

  test('is shown as expired once its time is over', () => {
    const entry = { id, version: 1, changedAt: now, state: granted.state };
    expect(viewOf(entry, now).status).toBe('granted');
    expect(viewOf(entry, new Date(answer.until)).status).toBe('expired');
    const revoked = { ...entry, state: { ...granted.state, status: 'revoked' as const } };
    expect(viewOf(revoked, new Date(answer.until)).status).toBe('revoked');
  });
});

describe('the words of a consent', () => {
  const connector = {
    id: 'calendar',
    name: 'Calendar',
    publisher: 'Acme',
    review: 'approved' as const,
    oauth: { issuer: 'https://calendar.example', hosts: [], clientId: 'reeve', clientSecret: 'secret' },
    scopes: [
      { id: 'read', meaning: 'See your events' },
      { id: 'write', meaning: 'Change your events' },
    ],
    cannot: ['See your password'],
    eventTypes: [],
    consentDays: 90,
  };

  test('name who asks whom, what it can and can not do, and the end', () => {
    const shown = { connector, tenant: 'acme', person: 'Ada', scopes: ['write'], until: new Date(answer.until) };
    expect(asOneText(consentText(shown)).split('\n')).toEqual([
      'Calendar by Acme asks for access on behalf of Ada in acme.',
      'It will be able to: Change your events.',
      'It will not be able to: See your password.',
      'The access ends on 2027-02-23 at the latest. You or an administrator can end it at any time.',
    ]);
  });
});
