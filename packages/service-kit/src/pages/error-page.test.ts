import { describe, expect, test } from '@jest/globals';
import { eventTypes, type ProblemCode, ProblemError, problems } from '@reeve/contracts';
import { errorPage, errorTexts, occasionOf } from './error-page.ts';
import { languages, say } from './language.ts';
import type { Occasion } from './texts/en.ts';

const occasions = Object.keys(errorTexts.en.errors) as Occasion[];
const placeholders = (text: string) => [...new Set(text.match(/\{(\w+)/g))].filter(name => name !== '{#').toSorted();
const reference = 'req_1';
const told = { language: 'en', reference, path: null, back: null } as const;

describe.each(languages)('in %s', language => {
  const { frame, errors } = errorTexts[language];

  test('no text is missing, each says all that the English one says, and each can be said', () => {
    expect(Object.keys(errors)).toEqual(occasions);
    expect(Object.keys(frame)).toEqual(Object.keys(errorTexts.en.frame));
    const pairs = [
      ...Object.values(frame).map((text, at) => [text, Object.values(errorTexts.en.frame)[at] ?? '']),
      ...occasions.flatMap(name => errors[name].map((text, at) => [text, errorTexts.en.errors[name][at] ?? ''])),
    ] as [string, string][];
    for (const [text, english] of pairs) {
      expect(text.trim()).toBe(text);
      expect(text).not.toBe('');
      expect([text, placeholders(text)]).toEqual([text, placeholders(english)]);
      for (const seconds of [1, 2, 60]) expect(say(language, text, { seconds, name: 'Acme' })).not.toMatch(/[{}]/);
    }
  });

  test('no sentence is another language’s', () => {
    const same = occasions.filter(name => errors[name].some(text => errorTexts.en.errors[name].includes(text)));
    expect(same).toEqual(language === 'en' ? occasions : []);
  });
});

describe('what a person is told', () => {
  test('has a page of its own for all that can end a sign-in', () => {
    const codes = eventTypes['sign_in.failed'].reasons.filter(reason => Object.hasOwn(problems, reason));
    expect(codes.length).toBeGreaterThan(5);
    for (const code of codes) expect(occasionOf({ code: code as ProblemCode, meaning: undefined })).toBe(code);
  });

  test('is something for every code there is', () => {
    for (const code of Object.keys(problems) as ProblemCode[]) {
      const { title, content } = errorPage(new ProblemError(code), told);
      expect(title).not.toBe('');
      expect(content.text).toContain(`<dd class="muted">${code}</dd>`);
      expect(content.text).toContain(`<code>${reference}</code>`);
    }
  });

  test('follows the meaning of a code that has several, and says which it is', () => {
    const { title, content } = errorPage(new ProblemError('sign_in_failed', undefined, { meaning: 'refused' }), told);
    expect(title).toBe('Your organization did not sign you in');
    expect(content.text).toContain('<dd class="muted">sign_in_failed (refused)</dd>');
    expect(occasionOf({ code: 'sign_in_failed', meaning: '__proto__' })).toBe('sign_in_failed');
  });

  test('is nothing of a problem’s detail', () => {
    const problem = new ProblemError('dependency_unavailable', 'mongodb-7.internal does not answer');
    expect(errorPage(problem, told).content.text).not.toContain('mongodb');
  });

  test('says how long to wait', () => {
    const problem = new ProblemError('rate_limited', undefined, { retryAfterSeconds: 1 });
    expect(errorPage(problem, { ...told, language: 'fr' }).content.text).toContain('Attendez 1 seconde,');
  });

  test('has a way back: to where the handler says, or to the page whose form it was', () => {
    const linkIn = (more: object) =>
      /<a class="button primary" href="([^"]*)">([^<]*)</
        .exec(errorPage(new ProblemError('csrf_mismatch'), { ...told, ...more }).content.text)
        ?.slice(1);
    expect(linkIn({})).toBeUndefined();
    expect(linkIn({ path: '/page?x=1&y=2' })).toEqual(['/page?x=1&amp;y=2', 'Open the page again']);
    const back = { href: 'https://app.example/?"', name: 'The <App>' };
    expect(linkIn({ path: '/page', back })).toEqual(['https://app.example/?&quot;', 'Back to The &lt;App&gt;']);
  });
});
