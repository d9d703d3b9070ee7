import { expect, describe as group, test } from '@jest/globals';
import { describe, deviceOf, isOtherDevice } from './describe-session.ts';
import type { Session } from './session.ts';

const agents = {
  firefoxOnLinux: 'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0',
  laterFirefoxOnLinux: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  chromeOnWindows:
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36',
  safariOnIphone:
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1',
};
const session = (userAgent: string | null, amr: string[] = []) =>
  ({ userAgent, ip: '192.0.2.1', method: 'saml', amr }) as unknown as Session;

group('a session', () => {
  test('is described by browser, place and how the person signed in', () => {
    expect(describe(session(agents.firefoxOnLinux), { connection: 'Okta', place: 'Berlin' })).toBe(
      'Firefox on Linux, Berlin, signed in by Okta (SAML)',
    );
    expect(describe(session(agents.chromeOnWindows, ['fed', 'mfa', 'hwk']), { connection: 'Okta', place: null })).toBe(
      'Chrome on Windows, 192.0.2.1, signed in by Okta (SAML), second factor passkey',
    );
    expect(describe(session(agents.safariOnIphone), { connection: null, place: null })).toBe(
      'Safari on iOS, 192.0.2.1, signed in by a connection that is gone (SAML)',
    );
  });

  test('that somebody acts for the person in is described by who that is', () => {
    const delegated = { ...session(null), delegate: { clientId: 'cli', name: 'Notes', by: 'bot', key: '' } } as Session;
    expect(describe(delegated, { connection: 'Okta', place: 'Berlin' })).toBe(
      'Notes, for the person, signed in by Okta (SAML)',
    );
  });

  test.each([null, '', 'x', '\u0000', '('.repeat(300), 'Mozilla/5.0 ()'])(
    'of %j has an unknown browser or a name',
    agent => {
      const { browser, system } = deviceOf(agent);
      for (const one of [browser, system]) expect(one === null || one.length < 100).toBe(true);
      expect(describe(session(agent), { connection: 'Okta', place: null })).toContain('signed in by Okta');
    },
  );
});

group('another device', () => {
  test('is another browser or another system, and no newer version of the same', () => {
    expect(isOtherDevice(session(agents.firefoxOnLinux), agents.laterFirefoxOnLinux)).toBe(false);
    expect(isOtherDevice(session(agents.firefoxOnLinux), agents.chromeOnWindows)).toBe(true);
    expect(isOtherDevice(session(agents.safariOnIphone), null)).toBe(true);
    expect(isOtherDevice(session(null), null)).toBe(false);
  });
});
