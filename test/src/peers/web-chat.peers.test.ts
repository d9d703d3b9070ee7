// Web Chat as it comes from npm, in a real browser, with the page's part of docs/bots.md: the person sees no card where
// the exchange worked, and the card wherever it did not.
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { listen } from '@reeve/testing';
import { type Browser, chromiumHint, chromiumPath, openChromium, type Page } from '@reeve/testing/chromium';
import { eventually } from '@reeve/testing/eventually';
import { given } from '@reeve/testing/given';
import express from 'express';
import { samplesIn } from '../support/published-sdk.ts';
import { type BotHome, startBotHome } from './bot-home.ts';
import { type RunningBot, startAgentsBot } from './bot-programs.ts';
import { type DirectLine, startDirectLine } from './direct-line/direct-line.ts';
import { lackingBotSdks, runningPeers } from './running-peers.ts';

const { botSdks } = runningPeers();
const isThere = botSdks !== null && chromiumPath !== undefined;

const waitMs = 4_000;
const page = `<!doctype html><meta charset="utf-8"><title>Concierge</title>
<div id="chat" style="height: 90vh"></div>
<script src="/webchat.js"></script><script src="/single-sign-on.js"></script>
<script type="module">
  const { domain, token } = await (await fetch('/direct-line', { method: 'POST' })).json();
  window.directLine = WebChat.createDirectLine({ domain, token });
  const store = WebChat.createStore({}, singleSignOn({ tokenFor: window.tokenFor, waitMs: ${waitMs} }));
  WebChat.renderWebChat({ directLine: window.directLine, store }, document.getElementById('chat'));
</script>`;

given(isThere, botSdks === null ? lackingBotSdks : chromiumHint).describe('Web Chat', () => {
  let home: BotHome;
  let line: DirectLine;
  let bot: RunningBot;
  let site: { url: string; stop(): Promise<void> };
  let silent: { url: string; stop(): Promise<void> };
  let browser: Browser;
  let people = 0;

  beforeAll(async () => {
    home = await startBotHome();
    line = await startDirectLine({ issuer: home.issuer });
    bot = await startAgentsBot({ home, line }, botSdks as string);
    await home.becomesKnown();
    site = await startSite();
    silent = await listen(createServer());
    browser = await openChromium();
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    for (const one of [site, silent, bot, line, home]) await one.stop();
  });

  const startSite = () => {
    const app = express();
    app.get('/', (_, response) => void response.type('html').send(page));
    app.get('/webchat.js', (_, response) => {
      response.sendFile(join(botSdks as string, 'botframework-webchat/dist/webchat.js'), { dotfiles: 'allow' });
    });
    app.get('/single-sign-on.js', (_, response) => {
      response.type('js').send(samplesIn('docs/bots.md').get('single-sign-on.js'));
    });
    app.post('/direct-line', (_, response) => {
      people += 1;
      response.json({ domain: line.domain, token: line.newToken(`dl_web_${people}`) });
    });
    return listen(createServer(app));
  };

  const isFor = (url: string) => line.isFor({ url, appId: home.clientId, channelId: 'msteams' });
  const card = (at: Page) => at.locator('button[title="Sign-in"]');
  const statuses = () => line.answers.map(({ status }) => status);

  /** A person at the page who says hello; `tokenFor` is what the page gets from their identity provider. */
  async function saysHello(
    tokenFor: () => Promise<string | null>,
    prepare?: (at: Page) => Promise<void>,
  ): Promise<Page> {
    line.answers.length = 0;
    isFor(bot.url);
    const at = await (await browser.newContext()).newPage();
    await at.exposeFunction('tokenFor', tokenFor);
    await prepare?.(at);
    await at.goto(site.url);
    await at.locator('[data-id="webchat-sendbox-input"]').fill('hello');
    await at.keyboard.press('Enter');
    return at;
  }

  test('who is signed in at their identity provider sees no card, and the answer', async () => {
    const at = await saysHello(() => home.tokenOfIdp());
    await at.getByText('The API says').first().waitFor();
    expect(statuses()).toEqual([200]);
    expect(await card(at).count()).toBe(0);
  }, 60_000);

  test('the card is shown where Reeve does not take the token (412)', async () => {
    const at = await saysHello(async () => `${(await home.tokenOfIdp()).split('.').slice(0, 2).join('.')}.AAAA`);
    await card(at).waitFor();
    expect(statuses()).toEqual([412]);
    expect(await at.getByText('The API says').count()).toBe(0);
  }, 60_000);

  test('the card is shown where the bot takes no such invoke (400)', async () => {
    const at = await saysHello(
      () => home.tokenOfIdp(),
      async one => {
        await one.route('**/activities', async route => {
          const sent = route.request().postDataJSON() as { name?: string; value?: object } | null;
          if (sent?.name !== 'signin/tokenExchange') return route.continue();
          const value = { ...sent.value, connectionName: 'another' };
          return route.continue({ postData: JSON.stringify({ ...sent, value }) });
        });
      },
    );
    await card(at).waitFor();
    expect(statuses()).toEqual([400]);
  }, 60_000);

  test('the card is shown where the bot does not answer in time', async () => {
    const at = await saysHello(async () => {
      isFor(silent.url);
      return home.tokenOfIdp();
    });
    await card(at).waitFor();
    expect(await at.getByText('The API says').count()).toBe(0);
    await eventually('the server has given up as well', async () => statuses().join() === '504');
  }, 60_000);

  test('the card is shown at once to who has no session at their identity provider', async () => {
    const at = await saysHello(async () => null);
    await card(at).waitFor();
    expect(statuses()).toEqual([]);
  }, 60_000);
});
