import { describe, expect, test } from '@jest/globals';
import { asked } from './connection.test-support.ts';
import type { Connection } from './connection.ts';
import type { Expiry } from './expiry.ts';
import { done, expiryMail, failed, isDue, type Mailing, noMail, owe, putOff } from './expiry-mail.ts';

const now = new Date('2026-11-26T12:00:00.000Z');
const later = (hours: number) => new Date(now.getTime() + hours * 3_600_000);
const owed = owe(noMail, { id: 'evt_1', now });

describe('a mail', () => {
  test('is owed at once, and once', () => {
    expect(owed).toEqual({ owed: { id: 'evt_1', at: now.toISOString(), failures: 0 }, sentAt: null });
    expect(owe(owed, { id: 'evt_2', now: later(1) })).toBe(owed);
    expect([isDue(owed, now), isDue(noMail, now)]).toEqual([true, false]);
  });

  test('is sent once a day at most: what is said within the day waits for its end', () => {
    const sent = done(owed, { sentAt: now });
    const again = owe(sent, { id: 'evt_2', now: later(1) });
    expect([isDue(again, later(22.9)), isDue(again, later(23))]).toEqual([false, true]);
    expect(isDue(owe(sent, { id: 'evt_2', now: later(30) }), later(30))).toBe(true);
  });

  test('that had nothing to say does not count', () => {
    expect(isDue(owe(done(owed, { sentAt: null }), { id: 'evt_2', now }), now)).toBe(true);
  });

  test('that was one too many for a day is the same mail, and goes on the next', () => {
    expect(putOff(owed, now).owed).toEqual({ id: 'evt_1', at: '2026-11-27T00:00:00.000Z', failures: 0 });
  });

  test('that failed is the same mail, tried ever later, and given up after about three days', () => {
    const waits: number[] = [];
    let [mailing, at]: [Mailing, Date] = [owed, now];
    for (;;) {
      mailing = failed(mailing, at);
      if (!mailing.owed) break;
      expect(mailing.owed.id).toBe('evt_1');
      const next = new Date(mailing.owed.at);
      waits.push((next.getTime() - at.getTime()) / 60_000);
      at = next;
    }
    expect(waits.slice(0, 4)).toEqual([1, 2, 4, 8]);
    expect(Math.max(...waits)).toBe(360);
    expect((at.getTime() - now.getTime()) / 86_400_000).toBeCloseTo(2.85, 1);
  });
});

const fingerprint = `sha256:${'ab'.repeat(32)}`;
const certificate: Expiry = { what: 'certificate', name: fingerprint, at: later(24 * 5), isRenewed: false };
const mailOf = (change: Partial<Connection>, expiries: Expiry[] = [certificate], status = 'active' as const) => {
  const state = { ...asked({ name: 'Acme', kind: 'saml', issuer: 'https://idp.example' }), status, ...change };
  const entry = { id: 'con_1', version: 1, changedAt: now, state: { contacts: ['it@acme.example'], ...state } };
  return expiryMail(entry as Parameters<typeof expiryMail>[0], expiries, now);
};

describe('what it says', () => {
  test('is which connection, what ends when, and what to do', () => {
    const mail = mailOf({});
    expect(mail?.to).toEqual(['it@acme.example']);
    expect(mail?.subject).toBe('Single sign-on: something ends soon');
    expect(mail?.text).toContain('the connection "Acme" (con_1).');
    expect(mail?.text).toContain(`last signing certificate (${fingerprint}) ends on 2026-12-01 12:00 UTC.`);
    expect(mailOf({}, [{ ...certificate, at: later(-1) }])?.subject).toBe('Single sign-on: something has ended');
  });

  test('is nothing where nothing ends soon', () => {
    expect(mailOf({}, [{ ...certificate, at: later(24 * 31) }])).toBeNull();
  });

  test('is said to nobody where nobody is named, or nobody signs in by it', () => {
    expect(mailOf({ contacts: [] })?.to).toEqual([]);
    expect(mailOf({ status: 'draft' })?.to).toEqual([]);
  });

  test('is no text of a tenant: neither a link, nor a line, nor a header of its own', () => {
    const name = 'Call 555 0100!\r\nBcc: eve@evil.example\r\n\r\nor https://evil.example/x <b>now</b>\u202e\u2028';
    const url = 'https://evil.example/metadata';
    const mail = mailOf({ name }, [{ what: 'metadata', name: url, at: later(1), isRenewed: true }]);
    expect(mail?.subject).toBe('Single sign-on: something ends soon');
    expect(mail?.text).toContain('the connection "Call Bcc eve evil example or https evil" (con_1).');
    expect(mail?.text).not.toMatch(/[\r\u202e\u2028@<>]|:\/\/|evil\.|555/);
    expect(mailOf({ name: '💥 0100' })?.text).toContain('the connection (con_1).');
    expect(mailOf({ name: 'Ж'.repeat(200) })?.text).toContain(`"${'Ж'.repeat(40)}"`);
  });
});
