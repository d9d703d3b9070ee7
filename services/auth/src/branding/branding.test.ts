import { describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import { brandingSchema, noBranding, set } from './branding.ts';

const acme = { displayName: 'Acme', logoUrl: 'https://logos.acme.example/logo.svg' };
const fieldsOf = (given: object) =>
  brandingSchema.safeParse({ ...acme, ...given }).error?.issues.map(({ path }) => path.join('.'));

describe('a name', () => {
  test.each([
    'Acme',
    'Müller & Söhne',
    '<b>Acme</b>',
    '株式会社アクメ',
    'شركة أكمي',
    'می\u200cخواهم',
    '👩\u200d🚒 Fire',
    'x'.repeat(80),
  ])('%j is taken as it is', displayName => {
    expect(brandingSchema.parse({ ...acme, displayName }).displayName).toBe(displayName);
  });

  test.each([
    ['turns the direction', 'Acme \u202egnp.exe'],
    ['embeds a direction', '\u202aAcme'],
    ['isolates', '\u2066Acme\u2069'],
    ['marks a direction', 'Acme\u200f'],
    ['breaks the line', 'Acme\nSign in at evil.example'],
    ['breaks the line otherwise', 'Acme\u2028x'],
    ['rings the bell', 'Acme\u0007'],
    ['has a control of the second set', 'Acme\u0085'],
    ['is half a character', 'Acme\ud83d'],
    ['hides characters', 'Ac\u200bme'],
    ['hides a hyphen', 'Ac\u00adme'],
    ['has characters of its own', 'Acme\ue000'],
    ['is tags that nobody sees', 'Acme\u{e0041}'],
    ['is empty', ''],
    ['is blank', '   '],
    ['is ten kilobytes', 'x'.repeat(10_000)],
    ['is no text', 7],
  ])('that %s is refused', (_, displayName) => {
    expect(fieldsOf({ displayName })).toEqual(['displayName']);
  });
});

describe('a logo', () => {
  test.each([
    ['https://logos.acme.example/logo.svg?v=2', 'https://logos.acme.example/logo.svg?v=2'],
    ['https://logos.acme.example:8443/a b.png', 'https://logos.acme.example:8443/a%20b.png'],
    ['https://löwe.example/logo.png', 'https://xn--lwe-sna.example/logo.png'],
    ['https://storage.googleapis.com/acme/logo.png', 'https://storage.googleapis.com/acme/logo.png'],
  ])('%s is taken', (logoUrl, stored) => {
    expect(brandingSchema.parse({ ...acme, logoUrl }).logoUrl).toBe(stored);
  });

  test.each([
    'javascript:alert(1)',
    'java\nscript:alert(1)',
    ' JavaScript:alert(1)',
    'data:image/svg+xml,<svg onload=alert(1)>',
    'http://logos.acme.example/logo.png',
    'blob:https://logos.acme.example/1',
    'file:///etc/passwd',
    '//logos.acme.example/logo.png',
    'logo.png',
    '',
    'https://user:password@logos.acme.example/logo.png',
    'https://127.0.0.1/logo.png',
    'https://0x7f000001/logo.png',
    'https://[::1]/logo.png',
    'https://localhost/logo.png',
    "https://logos.acme.example;script-src'unsafe-inline'/logo.png",
    'https://x;script-src.acme.example/logo.png',
    'https://x,sandbox.acme.example/logo.png',
    'https://*.acme.example/logo.png',
    'https://acme_logos.example/logo.png',
    `https://logos.acme.example/${'x'.repeat(500)}`,
    `https://logos.acme.example/${'ä'.repeat(100)}`,
    `https://logos.acme.example/${'x'.repeat(10_000)}`,
  ])('%j is refused', logoUrl => {
    expect(fieldsOf({ logoUrl })).toEqual(['logoUrl']);
  });

  test('needs a name that it is read out as, and neither of them needs to be', () => {
    expect(fieldsOf({ displayName: null })).toEqual(['displayName']);
    expect(fieldsOf({ logoUrl: null })).toBeUndefined();
    expect(brandingSchema.parse(noBranding)).toEqual(noBranding);
  });

  test('comes with nothing besides', () => {
    expect(brandingSchema.safeParse({ ...acme, css: 'body{}' }).success).toBe(false);
  });
});

test('what is set as it was changes nothing, and a change is told', () => {
  const tenantId = newId('tenant');
  expect(set(tenantId, acme, acme)).toBeNull();
  expect(set(tenantId, null, noBranding)).toBeNull();
  expect(set(tenantId, null, acme)).toMatchObject({
    state: acme,
    events: [{ type: 'branding.updated', target: { type: 'branding', id: tenantId }, details: acme }],
  });
});
