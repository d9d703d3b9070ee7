// A real browser, where the machine has one: it applies what a scripted client ignores, as policies, cookies'
// attributes, styles and the keyboard.
import { existsSync } from 'node:fs';
import axe, { type AxeResults } from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const candidates = [
  process.env['CHROMIUM_BINARY'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/lib/chromium/chromium',
];

export type { Browser, BrowserContextOptions, Page };

/** Undefined on a machine without one. */
export const chromiumPath = candidates.find(path => path !== undefined && existsSync(path));

/** What a test that needs it is skipped without. */
export const chromiumHint = 'Chromium: set CHROMIUM_BINARY';

export const openChromium = (): Promise<Browser> =>
  chromium.launch({
    executablePath: String(chromiumPath),
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });

/**
 * What is wrong with a page to somebody with a screen reader, a keyboard, weak eyes or a small screen: the rules of
 * WCAG 2.2 AA that a program can judge, and whether it has to be scrolled sideways. The script is ours and not the
 * page's, so it passes by the page's policy.
 */
export async function wrongWith(page: Page): Promise<string[]> {
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  await page.evaluate(axe.source);
  const { violations } = (await page.evaluate(`axe.run({ runOnly: ${JSON.stringify(tags)} })`)) as AxeResults;
  const isWide = await page.evaluate('document.documentElement.scrollWidth > window.innerWidth');
  return [
    ...violations.flatMap(({ id, nodes }) => nodes.map(node => `${id} at ${node.target.join(' ')}`)),
    ...(isWide ? ['it has to be scrolled sideways'] : []),
  ];
}
