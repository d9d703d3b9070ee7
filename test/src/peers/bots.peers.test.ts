// Bots as in docs/bots.md, on the SDKs of Microsoft as they come from their registries: told by their configuration
// where Reeve is, they find the person signed in.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { OAuthClient } from '@reeve/local/oauth-clients';
import { createBrowser, textsIn } from '@reeve/testing';
import { given } from '@reeve/testing/given';
import { type CryptoKey, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { demoUser } from '../support/running-system.ts';
import { type BotHome, connectionName, exchangeUri, startBotHome } from './bot-home.ts';
import { type RunningBot, startAgentsBot, startBotbuilderBot, startPythonBot } from './bot-programs.ts';
import { type DirectLine, startDirectLine } from './direct-line/direct-line.ts';
import { chatAs } from './direct-line/person.ts';
import { lackingAgentsPython, lackingBotSdks, runningPeers } from './running-peers.ts';

const { botSdks, agentsPython } = runningPeers();

type Kind = {
  sdk: string;
  channelId: string;
  start(around: { home: BotHome; line: DirectLine }): Promise<RunningBot>;
  isThere: boolean;
  lacking: string;
  /** What it answers to an invoke whose token Reeve does not take, and to one for another connection. */
  failed: number;
  misnamed: number;
};

const kinds: Kind[] = [
  {
    sdk: '@microsoft/agents-hosting',
    // It answers invokes on that one alone.
    channelId: 'msteams',
    start: around => startAgentsBot(around, botSdks as string),
    isThere: botSdks !== null,
    lacking: lackingBotSdks,
    failed: 412,
    misnamed: 400,
  },
  {
    sdk: 'botbuilder',
    channelId: 'directline',
    start: around => startBotbuilderBot(around, botSdks as string),
    isThere: botSdks !== null,
    lacking: lackingBotSdks,
    failed: 412,
    misnamed: 400,
  },
  {
    sdk: 'microsoft-agents-hosting-core (Python)',
    channelId: 'msteams',
    start: around => startPythonBot(around, agentsPython as OAuthClient),
    isThere: agentsPython !== null,
    lacking: lackingAgentsPython,
    failed: 501,
    // It does not look.
    misnamed: 200,
  },
];

for (const { sdk, channelId, start, isThere, lacking, failed, misnamed } of kinds)
  given(isThere, lacking).describe(`a bot on ${sdk}, with no code of ours`, () => {
    let home: BotHome;
    let line: DirectLine;
    let bot: RunningBot;
    let userId: string;
    let people = 0;

    beforeAll(async () => {
      home = await startBotHome();
      line = await startDirectLine({ issuer: home.issuer });
      bot = await start({ home, line });
      line.isFor({ url: bot.url, appId: home.clientId, channelId });
      userId = await home.becomesKnown();
    }, 120_000);
    afterAll(async () => {
      await bot.stop();
      await line.stop();
      await home.stop();
    });
    afterEach(() => {
      line.answers.length = 0;
    });

    /** The person follows the link of the card, signs in, and agrees. */
    async function codeAt(link: string): Promise<string> {
      const browser = createBrowser();
      const asked = await browser.submit(await browser.open(link), demoUser(home.credentials));
      const [code = ''] = textsIn(await browser.submit(asked, { answer: 'yes' }), 'output');
      return code;
    }

    /** A person of the channel whom the bot has not met, at the sign-in card. */
    async function atCard() {
      people += 1;
      const person = await chatAs(line, `dl_${people}`);
      await person.say('hello');
      const card = await person.card();
      const exchange = (changes: object = {}) =>
        person.invoke('signin/tokenExchange', {
          id: card.tokenExchangeResource?.id,
          connectionName: card.connectionName,
          ...changes,
        });
      return { person, card, exchange };
    }

    test('a person whose identity provider gives a token is signed in, and the API knows them and the bot', async () => {
      const { person, card, exchange } = await atCard();
      expect([card.connectionName, card.tokenExchangeResource?.uri]).toEqual([connectionName, exchangeUri]);
      expect((await exchange({ token: await home.tokenOfIdp() })).status).toBe(200);
      expect(line.answers.map(({ status }) => status)).toEqual([200]);
      await person.hears(/^The API says/);
      expect(home.messages.calls.at(-1)).toMatchObject({
        sub: userId,
        tid: home.tenant.id,
        client_id: home.clientId,
        act: { sub: home.clientId },
        scope: 'messages:read',
      });
      await person.say('hello again');
      expect((await person.said()).filter(({ text }) => text?.startsWith('The API says'))).toHaveLength(2);
      expect(await person.cards()).toBe(1);
    });

    test('a token that Reeve does not take ends in the card', async () => {
      const { person, exchange } = await atCard();
      const token = await home.tokenOfIdp();
      const [header, payload, signature = ''] = token.split('.');
      const forged = `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
      const calls = home.messages.calls.length;
      expect((await exchange({ token: forged })).status).toBe(502);
      expect(line.answers.map(({ status }) => status)).toEqual([failed]);
      expect(home.messages.calls).toHaveLength(calls);
      expect((await exchange({ token })).status).toBe(200);
      await person.hears(/^The API says/);
    });

    test('a person whom Reeve does not know ends in the card, and is not made a user by it', async () => {
      const { exchange } = await atCard();
      expect((await exchange({ token: await home.tokenOfIdp(1) })).status).toBe(502);
      expect(line.answers.map(({ status }) => status)).toEqual([failed]);
    });

    test('an invoke for another connection gets no token of that', async () => {
      const { exchange } = await atCard();
      await exchange({ token: await home.tokenOfIdp(), connectionName: 'another' });
      expect(line.answers.map(({ status }) => status)).toEqual([misnamed]);
    });

    test('who signs in by the link of the card is signed in by its code, and not by another', async () => {
      const { person, card } = await atCard();
      const code = await codeAt(card.buttons[0]?.value ?? '');
      await person.invoke('signin/verifyState', { state: code });
      await person.hears(/^The API says/);
      expect(home.messages.calls.at(-1)).toMatchObject({ sub: userId, act: { sub: home.clientId } });
      const calls = home.messages.calls.length;
      const other = await atCard();
      const good = await codeAt(other.card.buttons[0]?.value ?? '');
      const wrong = String((Number(good) + 1) % 1_000_000).padStart(6, '0');
      await other.person.invoke('signin/verifyState', { state: wrong });
      expect(home.messages.calls).toHaveLength(calls);
    });

    test('once the person’s sessions are ended the bot asks them to sign in anew', async () => {
      const { person, exchange } = await atCard();
      expect((await exchange({ token: await home.tokenOfIdp() })).status).toBe(200);
      await person.hears(/^The API says/);
      const { auth } = home.credentials.urls;
      await home.api.post(`${auth}/v1/tenants/${home.tenant.id}/users/${userId}/sessions:terminate`);
      const calls = home.messages.calls.length;
      await pause(1_000);
      await person.say('hello again');
      await person.card(2);
      expect(home.messages.calls).toHaveLength(calls);
    });

    test('it hears nobody but its channel', async () => {
      const { person } = await atCard();
      const { privateKey } = await generateKeyPair('RS256');
      const claims = { serviceurl: line.url };
      const signed = (key: CryptoKey, header: { alg: string; kid: string }) =>
        new SignJWT(claims)
          .setProtectedHeader(header)
          .setIssuer(line.url)
          .setAudience(home.clientId)
          .setIssuedAt()
          .setExpirationTime('5 min')
          .sign(key);
      const unsigned = new UnsecuredJWT(claims).setIssuer(line.url).setAudience(home.clientId).setIssuedAt().encode();
      const forged = [
        await signed(privateKey, { alg: 'RS256', kid: 'channel' }),
        await signed(privateKey, { alg: 'RS256', kid: 'another' }),
        unsigned,
        await line.signedFor('somebody-else'),
      ];
      const calls = home.messages.calls.length;
      const post = (token: string) =>
        fetch(bot.url, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
          body: JSON.stringify(line.asSent(person.conversationId, { type: 'message', text: 'hello', id: 'x' })),
        });
      // 401 mostly; some fail at what is no signature at all.
      for (const token of forged) expect((await post(token)).status).toBeGreaterThan(400);
      expect(home.messages.calls).toHaveLength(calls);
      expect((await post(await line.signedFor(home.clientId))).status).toBeLessThan(300);
    });

    test('neither a token nor a secret is in what it and the sidecar say', async () => {
      const { person, exchange } = await atCard();
      const token = await home.tokenOfIdp();
      expect((await exchange({ token })).status).toBe(200);
      await person.hears(/^The API says/);
      for (const secret of [token, home.clientSecret]) expect(bot.said()).not.toContain(secret);
    });
  });
