import { describe, expect, test } from '@jest/globals';
import type { Places } from '@reeve/service-kit/places';
import { type Familiar, familiars, learnt, riskOf, signsOf, type Whereabouts, whereabouts } from './familiar.ts';

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0';
const at = (day: number) => new Date(Date.parse('2026-11-27T08:00:00.000Z') + day * 86_400_000);
const home: Whereabouts = { device: 'Firefox on Linux', network: '192.0.2.0/24', country: 'DE' };
const elsewhere: Whereabouts = { device: 'Chrome on Windows', network: '198.51.100.0/24', country: 'BR' };
const after = (...seen: [number, Whereabouts][]): Familiar | null =>
  seen.reduce<Familiar | null>((known, [day, here]) => learnt(known, here, at(day)) ?? known, null);

describe('where somebody is', () => {
  test('is their browser without its version, their network and their country', () => {
    const places: Places = { locate: () => ({ latitude: 0, longitude: 0, name: 'Berlin', country: 'DE' }) };
    const known = { ip: '192.0.2.7', userAgent: firefox };
    expect(whereabouts(known, places)).toEqual(home);
    expect(whereabouts({ ...known, userAgent: firefox.replaceAll('150', '151') }, null)).toEqual({
      ...home,
      country: null,
    });
    expect(whereabouts({ ip: null, userAgent: null }, null)).toEqual({ device: null, network: null, country: null });
  });
});

describe('a sign-in', () => {
  test('of somebody of whom nothing is known is not unusual', () => {
    expect(signsOf(null, elsewhere)).toEqual([]);
    expect(riskOf([])).toEqual({ level: 'low', signs: [] });
  });

  test.each<[string, Partial<Whereabouts>, string]>([
    ['where they usually are', {}, 'low'],
    ['at a new device', { device: elsewhere.device }, 'medium'],
    ['in a new network', { network: elsewhere.network }, 'medium'],
    ['at a new device in a new network', { device: elsewhere.device, network: elsewhere.network }, 'high'],
    ['in a new country', { country: elsewhere.country }, 'high'],
    ['from where nothing is known of', { device: null, network: null, country: null }, 'low'],
  ])('%s', (_, change, level) => {
    const signs = signsOf(after([0, home]), { ...home, ...change });
    expect(riskOf(signs)).toMatchObject({ level });
    expect(signs).toHaveLength(level === 'low' ? 0 : Object.keys(change).length);
  });

  test('makes a place a usual one, for ninety days', () => {
    expect(signsOf(after([0, home], [1, elsewhere]), elsewhere)).toEqual([]);
    expect(signsOf(after([0, home], [1, elsewhere], [100, home]), elsewhere)).toHaveLength(3);
    expect(signsOf(after([0, elsewhere], [89, elsewhere], [100, home]), elsewhere)).toEqual([]);
    const { lastAt } = after([0, home], [2, home]) ?? { lastAt: '' };
    expect(familiars.expiresAt?.({ ...(after([0, home]) as Familiar), lastAt })).toEqual(at(92));
  });

  test('is written down once a day', () => {
    const known = after([0, home]);
    expect(learnt(known, home, at(0.9))).toBeNull();
    expect(learnt(known, { ...home, country: null }, at(0.9))).toBeNull();
    expect(learnt(known, home, at(1.1))).not.toBeNull();
    expect(learnt(known, elsewhere, at(0.1))).not.toBeNull();
  });

  test('from the twenty-first place lets the first be forgotten', () => {
    const many = Array.from({ length: 21 }, (_, index): [number, Whereabouts] => [
      index / 100,
      { ...home, network: `net ${index}` },
    ]);
    const known = after(...many);
    expect(known?.network).toHaveLength(20);
    expect(signsOf(known, { ...home, network: 'net 0' })).toEqual(['new_network']);
    expect(signsOf(known, { ...home, network: 'net 1' })).toEqual([]);
  });
});
