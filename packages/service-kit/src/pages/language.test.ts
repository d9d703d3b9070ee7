import { describe, expect, test } from '@jest/globals';
import { languageFor, say } from './language.ts';

describe('the language of a page', () => {
  test.each([
    [['de'], 'de'],
    [['de-AT', 'en'], 'de'],
    [['fr-CA', 'de'], 'fr'],
    [['ja-JP-u-ca-japanese'], 'ja'],
    [['ES-419'], 'es'],
    [['pt-BR', 'es', 'de'], 'es'],
    [['nl', 'it'], 'en'],
    [[], 'en'],
  ])('of %j is %s: the first of those that are wanted', (wanted, language) => {
    expect(languageFor(wanted)).toBe(language);
  });

  test('is English where what is asked for is no language, and the next one counts', () => {
    for (const none of ['*', '', 'x', '../../etc', 'de_DE;', '"><script>', 'd'.repeat(10_000), 'de-'.repeat(1_000)])
      expect([none, languageFor([none]), languageFor([none, 'de'])]).toEqual([none, 'en', 'de']);
  });

  test('costs nothing more for somebody who asks for thousands', () => {
    const many = Array.from({ length: 100_000 }, (_, index) => `a${'bcdefghij'[index % 9]}-x-n${index % 1_000}`);
    const begun = performance.now();
    expect(languageFor([...many, 'de'])).toBe('en');
    expect(performance.now() - begun).toBeLessThan(2_000);
  });
});

test('a message has its plurals, and leaves what is put into it as it is', () => {
  const message = 'Wait {seconds, plural, one {# second} other {# seconds}}, {name}.';
  expect(say('en', message, { seconds: 1, name: '<b>' })).toBe('Wait 1 second, <b>.');
  expect(say('en', message, { seconds: 2, name: '{seconds}' })).toBe('Wait 2 seconds, {seconds}.');
  expect(() => say('en', message, { seconds: 2 })).toThrow('name');
});
