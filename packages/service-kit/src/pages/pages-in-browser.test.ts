// Error pages in a real browser: in each language and scheme, on the smallest screen.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ProblemCode, ProblemError } from '@reeve/contracts';
import { type Browser, chromiumHint, chromiumPath, openChromium, wrongWith } from '@reeve/testing/chromium';
import { given } from '@reeve/testing/given';
import { documentOf } from './document.ts';
import { errorPage, errorTexts } from './error-page.ts';
import { type Language, languages } from './language.ts';

const brand = { displayName: 'Donaudampfschifffahrtsgesellschaft Beteiligungsverwaltungs-GmbH', logoUrl: null };

/** What stands for several codes, by one of them. */
const codes: Readonly<Record<string, ProblemCode>> = { other: 'tenant_slug_taken', unreadable: 'body_malformed' };

function pageOf(occasion: string, language: Language): string {
  const [code = '', meaning] = occasion.split('.');
  const problem = new ProblemError(codes[code] ?? (code as ProblemCode), undefined, {
    retryAfterSeconds: 60,
    ...(meaning ? { meaning } : {}),
  });
  const told = { reference: 'req_01a216e5-3385-76eb-a9c9-2ffd99b75cfb', path: '/page', back: null };
  return documentOf(errorPage(problem, { ...told, language }), { language, brand, productName: 'Chatter' });
}

given(chromiumPath !== undefined, chromiumHint).describe('an error page', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openChromium();
  }, 60_000);
  afterAll(() => browser.close());

  test.each(languages)('is one that everybody can read, in %s, light and dark', async language => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const context = await browser.newContext({ colorScheme, viewport: { width: 320, height: 640 } });
      const page = await context.newPage();
      await page.setContent(pageOf('csrf_mismatch', language));
      expect([colorScheme, await wrongWith(page)]).toEqual([colorScheme, []]);
      await context.close();
    }
  });

  test('is seen to be wrong where it is: the check finds what it is for', async () => {
    const page = await browser.newPage({ viewport: { width: 320, height: 640 } });
    await page.setContent(`<html><body><input><p style="width:900px;color:#999">Not easy to read</p></body></html>`);
    const found = await wrongWith(page);
    for (const what of ['label', 'color-contrast', 'html-has-lang', 'it has to be scrolled sideways'])
      expect(found.join('\n')).toContain(what);
    await page.close();
  });

  test('fits 320 pixels, whatever it says', async () => {
    const page = await browser.newPage({ viewport: { width: 320, height: 640 } });
    const wide: string[] = [];
    for (const language of languages)
      for (const occasion of Object.keys(errorTexts.en.errors)) {
        await page.setContent(pageOf(occasion, language));
        if (await page.evaluate('document.documentElement.scrollWidth > 320')) wide.push(`${language} ${occasion}`);
      }
    expect(wide).toEqual([]);
    await page.close();
  }, 60_000);
});
