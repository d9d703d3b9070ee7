// A real browser, where the machine has one: it applies what a scripted client ignores, as policies, cookies'
// attributes, styles and the keyboard.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe, { type AxeResults } from 'axe-core';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const candidates = [
  process.env['CHROMIUM_BINARY'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/lib/chromium/chromium',
];

export type { Browser, BrowserContext, BrowserContextOptions, Page };

/** Undefined on a machine without one. */
export const chromiumPath = candidates.find(path => path !== undefined && existsSync(path));

/** What a test that needs it is skipped without. */
export const chromiumHint = 'Chromium: set CHROMIUM_BINARY';

/** Of the switches that Playwright sets by itself, those `without` which it starts. */
type ChromiumOptions = { without?: readonly string[] };

const launching = ({ without = [] }: ChromiumOptions) => ({
  executablePath: String(chromiumPath),
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  ignoreDefaultArgs: [...without],
});

/** Its contexts are private ones, to which Chromium gives no cookies of third parties. */
export const openChromium = (options: ChromiumOptions = {}): Promise<Browser> => chromium.launch(launching(options));

/** With a profile of its own, in which a person has allowed cookies of third parties. */
export async function openProfile(options: ChromiumOptions = {}): Promise<BrowserContext> {
  const directory = mkdtempSync(join(tmpdir(), 'reeve-profile-'));
  mkdirSync(join(directory, 'Default'));
  const preferences = { profile: { cookie_controls_mode: 0, block_third_party_cookies: false } };
  writeFileSync(join(directory, 'Default', 'Preferences'), JSON.stringify(preferences));
  const context = await chromium.launchPersistentContext(directory, launching(options));
  context.on('close', () => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
  return context;
}

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
