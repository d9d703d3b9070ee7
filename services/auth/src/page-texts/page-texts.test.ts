import { describe, expect, test } from '@jest/globals';
import { languages } from '@reeve/service-kit';
import { pageTexts, textsIn } from './page-texts.ts';

const english = Object.entries(pageTexts.en) as [keyof typeof pageTexts.en, string][];
const placeholders = (text: string) => (text.match(/\{(\w+)/g) ?? []).toSorted();

describe.each(languages)('in %s', language => {
  test('no text is missing, each has the values of the English one, and each can be said', () => {
    expect(Object.keys(pageTexts[language])).toEqual(english.map(([name]) => name));
    for (const [name, text] of english) {
      const own = pageTexts[language][name];
      expect(own.trim()).toBe(own);
      expect([name, placeholders(own)]).toEqual([name, placeholders(text)]);
      const values = Object.fromEntries(placeholders(own).map(one => [one.slice(1), 'idp.example']));
      expect(textsIn(language)(name, values)).not.toMatch(/^$|[{}]/);
      if (language !== 'en') expect([name, own]).not.toEqual([name, text]);
    }
  });
});
