import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { loadCatalogue, originsOf } from './catalogue.ts';

const calendar = {
  id: 'calendar',
  name: 'Calendar',
  publisher: 'Acme',
  review: 'approved',
  oauth: { issuer: 'https://calendar.example', clientId: 'reeve', clientSecret: 'secret' },
  scopes: [{ id: 'read', meaning: 'See your events' }],
  cannot: [],
  eventTypes: [],
  consentDays: 90,
};
const path = join(mkdtempSync(join(tmpdir(), 'reeve-catalogue-')), 'catalogue.json');
function load(...connectors: object[]) {
  writeFileSync(path, JSON.stringify(connectors));
  return loadCatalogue(path);
}
const withHosts = (...hosts: string[]) => ({ ...calendar, oauth: { ...calendar.oauth, hosts } });

describe('the catalogue', () => {
  test('offers what has been approved, and nothing else by any name', () => {
    const { list, get } = load(calendar, { ...calendar, id: 'pending', review: 'pending' });
    expect(list().map(({ id }) => id)).toEqual(['calendar']);
    expect(get('calendar').name).toBe('Calendar');
    for (const id of ['pending', 'other', '__proto__', ''])
      expect(() => get(id)).toThrow(expect.objectContaining({ code: 'connector_unknown' }));
  });

  test('leads people to the issuer’s own host, and to those that it names besides', () => {
    expect(originsOf(load(calendar).get('calendar'))).toEqual(['https://calendar.example']);
    const { get } = load(withHosts('accounts.calendar.example', 'login.example:8443'));
    expect(originsOf(get('calendar'))).toEqual([
      'https://calendar.example',
      'https://accounts.calendar.example',
      'https://login.example:8443',
    ]);
  });

  test.each([
    ['a host that is a pattern', withHosts('*.example')],
    ['a host that ends the policy it is written into', withHosts("a.example; script-src 'unsafe-inline'")],
    ['a host that is a URL', withHosts('https://a.example')],
    ['a connector without scopes', { ...calendar, scopes: [] }],
    ['a setting that nobody knows', { ...calendar, reviews: 'approved' }],
  ])('is refused with %s', (_, connector) => {
    expect(() => load(connector)).toThrow();
    expect(() => load(calendar)).not.toThrow();
  });
});
