// Bots and their users over HTTP: the calls of SDKs and the invoke activities of channels, sign-in by a token and by the
// page, and what somebody else gets of it, each beside the one whose it is.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { event, type Id, newId, type ResolveIdentityRequest, type TenantId } from '@reeve/contracts';
import {
  type Browser,
  createBrowser,
  type EventReader,
  engines,
  eventually,
  formOf,
  type Page,
  type ProviderKey,
  readEvents,
  signedBy,
  textsIn,
} from '@reeve/testing';
import { createRemoteJWKSet, decodeJwt, type JWTPayload, jwtVerify } from 'jose';
import { type Auth, startAuth } from '../auth.test-support.ts';
import { watchStore } from '../store-commands.test-support.ts';
import {
  api,
  audience,
  botConnection,
  connectionName,
  newApi,
  newBot,
  newMachine,
  type TestBot,
  tokenOf,
} from './bots.test-support.ts';

let watched: Awaited<ReturnType<typeof watchStore>>;
let auth: Auth;
let events: EventReader;
let key: ProviderKey;
let bot: TestBot;
let other: TestBot;
let admin: string;
/** Those that the directory knows, by tenant and subject. */
const known = new Map<string, Id<'user'>>();

type UserToken = {
  token?: string;
  channelId: string;
  connectionName: string;
  expiration?: string;
  failureDetail?: string;
};
type Resource = { signInLink: string; tokenExchangeResource?: { id: string; uri: string; providerId?: string } };
type Failed = { id?: string; connectionName?: string; failureDetail: string | null };

/** Nobody is made by a bot. */
const asUsual = ({ tenantId, subject, jit, email, displayName }: ResolveIdentityRequest) => {
  const name = `${tenantId} ${subject}`;
  const userId = known.get(name) ?? (jit.enabled ? newId('user') : null);
  if (userId === null) return 'identity_unknown';
  const created = !known.has(name);
  known.set(name, userId);
  return { userId, email, displayName: displayName ?? subject, roles: ['tenant_member'], created };
};

beforeAll(async () => {
  watched = await watchStore(engines().mongodb);
  auth = await startAuth({ MONGODB_URI: watched.url });
  events = await readEvents('reeve.auth.v1');
  key = await auth.provider.changesItsKeys();
  auth.provisioning.answers(asUsual);
  await newApi(auth, api, { claims: ['name'] });
  bot = await newBot(auth);
  other = await newBot(auth);
  admin = await auth.asPlatform();
}, 60_000);
afterAll(async () => {
  await events.stop();
  watched.endStopped();
  await auth.stop();
  await watched.stop();
});

let people = 0;
let who: string;
let user: string;
beforeEach(() => {
  people += 1;
  [who, user] = [`person-${people}`, `29:user-${people}`];
  for (const { tenantId } of [bot, other]) known.set(`${tenantId} ${who}`, newId('user'));
});
const userIdOf = (subject = who, { tenantId } = bot) => known.get(`${tenantId} ${subject}`);

const now = () => Math.floor(Date.now() / 1_000);
const idpToken = (change: object = {}, by = key) =>
  signedBy(by, {
    iss: auth.provider.issuer,
    aud: audience,
    sub: who,
    iat: now(),
    exp: now() + 300,
    ...change,
  } as JWTPayload);

const at = (query: Record<string, string>) => `?${new URLSearchParams(query)}`;
const chat = (change: Record<string, string> = {}) => ({
  userId: user,
  connectionName,
  channelId: 'webchat',
  ...change,
});
const stateOf = (change: object = {}, conversation: object = {}) =>
  Buffer.from(
    JSON.stringify({
      connectionName,
      conversation: { channelId: 'webchat', user: { id: user }, conversation: { id: 'c' }, ...conversation },
      msAppId: '',
      ...change,
    }),
  ).toString('base64');

const getToken = (change: Record<string, string> = {}, as = bot.as) =>
  auth.ask<UserToken>('GET', `/api/usertoken/GetToken${at(chat(change))}`, { as });
const exchange = async (token: string, change: Record<string, string> = {}, as = bot.as) =>
  auth.ask<UserToken>('POST', `/api/usertoken/exchange${at(chat(change))}`, { as, body: { token } });
const invoke = (
  value: unknown,
  { name = 'signin/tokenExchange', as = bot.as, ...change }: Record<string, unknown> & { as?: string } = {},
) =>
  auth.ask<Failed | undefined>('POST', '/bot/invoke', {
    as,
    body: {
      type: 'invoke',
      name,
      channelId: 'webchat',
      from: { id: user },
      conversation: { id: 'c' },
      value,
      ...change,
    },
  });
const resource = (change: object = {}, conversation: object = {}, as = bot.as) =>
  auth.ask<Resource>('GET', `/api/botsignin/GetSignInResource${at({ state: stateOf(change, conversation) })}`, { as });
const signOut = (change: Record<string, string> = {}, as = bot.as) =>
  auth.ask('DELETE', `/api/usertoken/SignOut${at(chat(change))}`, { as });
const told = (type: string, { tenantId } = bot) =>
  events.of(tenantId).filter(one => one.type === type && one.data.details['channelUserId'] === user);

/** As far as the page that asks. */
async function arrive(link: string, browser: Browser = createBrowser(), subject = who): Promise<Page> {
  auth.provider.is({ sub: subject, email: `${subject}@acme.example`, name: subject });
  return browser.open(new URL(link));
}
/** To the code, or the end. */
async function agree(
  link: string,
  browser: Browser = createBrowser(),
  subject = who,
): Promise<{ page: Page; code: string }> {
  const asked = await arrive(link, browser, subject);
  const page = await browser.submit(asked, { answer: 'yes' });
  return { page, code: textsIn(page, 'output')[0]?.trim() ?? '' };
}

describe('a token of the user’s identity provider', () => {
  test('signs them in, and the bot gets a short token for its API in which it acts for them', async () => {
    const none = await getToken();
    // botbuilder takes any object in an answer for a token.
    expect([none.status, none.body]).toEqual([404, '']);
    const { status, body } = await exchange(await idpToken());
    expect([status, body]).toEqual([
      200,
      { channelId: 'webchat', connectionName, token: expect.any(String), expiration: expect.any(String) },
    ]);
    const again = await getToken();
    const keys = createRemoteJWKSet(new URL(`${auth.url}/jwks`));
    for (const { token = '' } of [body, again.body]) {
      const { payload } = await jwtVerify(token, keys, { issuer: auth.url, audience: api, typ: 'at+jwt' });
      expect(payload).toMatchObject({
        sub: userIdOf(),
        tid: bot.tenantId,
        client_id: bot.machine.id,
        act: { sub: bot.machine.id },
        scope: 'events.read',
        name: who,
        sid: expect.stringMatching(/^ses_/),
      });
      expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBeLessThanOrEqual(300);
    }
    const sessions = await auth.ask<{ items: { delegate: object | null }[] }>(
      'GET',
      `/v1/tenants/${bot.tenantId}/users/${userIdOf()}/sessions`,
      { as: admin },
    );
    expect(sessions.body.items).toMatchObject([
      { delegate: { clientId: bot.machine.id, name: 'Concierge', by: 'bot' }, surface: 'bot' },
    ]);
    const [event] = await eventually('it is told', () =>
      told('bot_sign_in.exchanged').length > 0 ? told('bot_sign_in.exchanged') : null,
    );
    expect(event?.data).toMatchObject({
      target: { id: bot.botId },
      actor: { id: bot.machine.id },
      details: { userId: userIdOf(), provider: bot.idp },
    });
  });

  test('that is not to be taken is answered without a token, and never by an error, and it is told why', async () => {
    const refusals: [string, string][] = [
      [await idpToken({ aud: 'api://other' }), 'id_token_claims'],
      [await idpToken({ exp: now() - 60 }), 'id_token_time'],
      [await idpToken({ azp: 'somebody' }), 'id_token_claims'],
      [await idpToken({ sub: 'a-stranger' }), 'identity_unknown'],
      ['not a token', 'id_token_signature'],
    ];
    for (const [token, why] of refusals) {
      const { status, body } = await exchange(token);
      expect([status, body]).toEqual([200, { channelId: 'webchat', connectionName, failureDetail: why }]);
    }
    await eventually('all are told', () => told('bot_sign_in.failed').length === refusals.length);
    expect(
      told('bot_sign_in.failed')
        .map(({ data }) => data.reason.code)
        .toSorted(),
    ).toEqual(refusals.map(([, why]) => why).toSorted());
    expect(JSON.stringify(told('bot_sign_in.failed'))).not.toContain(refusals[0]?.[0].split('.')[2]);
    expect((await getToken()).status).toBe(404);
    expect((await exchange(await idpToken())).body.token).toEqual(expect.any(String));
  });

  test('is exchanged once, however many of the person’s clients bring it at once, and all get the same', async () => {
    const token = await idpToken();
    const answers = await Promise.all(Array.from({ length: 50 }, () => exchange(token)));
    const [first] = answers;
    expect(first?.body.token).toEqual(expect.any(String));
    for (const { status, body } of answers) {
      expect(status).toBe(200);
      expect(decodeJwt(body.token ?? '')).toEqual(decodeJwt(first?.body.token ?? ''));
      expect(body.expiration).toBe(first?.body.expiration);
    }
    const later = await exchange(token);
    expect(decodeJwt(later.body.token ?? '')).toEqual(decodeJwt(first?.body.token ?? ''));
    await eventually('it is told', () => told('bot_sign_in.exchanged').length > 0);
    expect(told('bot_sign_in.exchanged')).toHaveLength(1);
  });

  test('is one of many different ones at once, each of which is exchanged, in one session', async () => {
    const tokens = await Promise.all(Array.from({ length: 40 }, (_, index) => idpToken({ jti: `${index}` })));
    const answers = await Promise.all(tokens.map(token => exchange(token)));
    expect(answers.map(({ body }) => body.failureDetail)).toEqual(answers.map(() => undefined));
    expect(new Set(answers.map(({ body }) => decodeJwt(body.token ?? '')['sid'])).size).toBe(1);
    expect(new Set(answers.map(({ body }) => decodeJwt(body.token ?? '').jti)).size).toBe(40);
    expect((await getToken()).status).toBe(200);
  });

  test('of somebody else is not taken from who is known already, nor after a sign-out', async () => {
    await exchange(await idpToken());
    const [mine, somebody] = [who, `${who}-else`];
    known.set(`${bot.tenantId} ${somebody}`, newId('user'));
    expect((await exchange(await idpToken({ sub: somebody }))).body.failureDetail).toBe('other_person');
    expect(decodeJwt((await getToken()).body.token ?? '').sub).toBe(userIdOf(mine));
    expect((await signOut()).status).toBe(200);
    expect((await exchange(await idpToken({ sub: somebody, jti: 'two' }))).body.failureDetail).toBe('other_person');
    expect((await exchange(await idpToken({ jti: 'three' }))).body.token).toEqual(expect.any(String));
  });

  test('is good at the channel and for the user that it came for alone', async () => {
    await exchange(await idpToken());
    expect((await getToken()).status).toBe(200);
    expect((await getToken({ channelId: 'directline' })).status).toBe(404);
    expect((await getToken({ userId: `${user}0` })).status).toBe(404);
    expect((await getToken({ connectionName: 'mail' })).status).toBe(404);
    expect((await getToken({}, other.as)).status).toBe(404);
    expect((await exchange(await idpToken(), { channelId: 'directline' })).body.token).toEqual(expect.any(String));
    expect((await getToken({ channelId: 'directline' })).status).toBe(200);
  });

  test('of another connection’s provider, or of a tenant’s own that it does not name, signs nobody in', async () => {
    const foreign = await newBot(auth, { connections: [botConnection({ tokenExchange: null })] });
    expect((await exchange(await idpToken(), {}, foreign.as)).body).toEqual({
      channelId: 'webchat',
      connectionName,
      failureDetail: 'exchange_not_offered',
    });
    expect((await exchange(await idpToken(), { connectionName: 'mail' })).body.failureDetail).toBe(
      'exchange_not_offered',
    );
    known.delete(`${other.tenantId} ${who}`);
    expect((await exchange(await idpToken(), {}, other.as)).body.failureDetail).toBe('identity_unknown');
    expect((await exchange(await idpToken())).body.token).toEqual(expect.any(String));
  });

  test('by its uri a token is had where somebody is signed in, and none where nobody is', async () => {
    const byUri = (uri: string) =>
      auth.ask<UserToken>('POST', `/api/usertoken/exchange${at(chat())}`, { as: bot.as, body: { uri } });
    expect((await byUri(audience)).body).toMatchObject({ failureDetail: 'exchange_not_offered' });
    await exchange(await idpToken());
    expect((await byUri(audience)).body.token).toEqual(expect.any(String));
    expect((await byUri('api://other')).body.token).toBeUndefined();
  });
});

describe('what ends', () => {
  const terminate = () =>
    auth.ask('POST', `/v1/tenants/${bot.tenantId}/users/${userIdOf()}/sessions:terminate`, { as: admin });

  test('leaves nothing to be asked for within a second: sign-out, an ended session, a person who is gone', async () => {
    await exchange(await idpToken());
    expect((await getToken()).status).toBe(200);
    expect((await signOut()).status).toBe(200);
    expect((await getToken()).status).toBe(404);
    expect((await signOut()).status).toBe(200);
    await exchange(await idpToken({ jti: 'two' }));
    expect((await getToken()).status).toBe(200);
    await terminate();
    expect((await getToken()).status).toBe(404);
    expect((await exchange(await idpToken({ jti: 'three' }))).body.token).toEqual(expect.any(String));
    const { body } = await getToken();
    const [session] = [decodeJwt(body.token ?? '')['sid']];
    expect(
      (await auth.ask('POST', `/v1/tenants/${bot.tenantId}/sessions/${session}:terminate`, { as: admin })).status,
    ).toBeLessThan(300);
    expect((await getToken()).status).toBe(404);
  });

  test('during an exchange ends that exchange: nobody is signed in by what came before their sign-out', async () => {
    let release = () => {};
    const gate = new Promise<void>(resolve => {
      release = resolve;
    });
    auth.provider.lies({ answers: {} });
    const fresh = await newBot(auth);
    known.set(`${fresh.tenantId} ${who}`, newId('user'));
    const asking = new Promise<void>(resolve => {
      auth.provider.lies({
        keys: async () => {
          resolve();
          await gate;
          return { keys: [key.jwk] };
        },
      });
    });
    const exchanging = exchange(await idpToken(), {}, fresh.as);
    await Promise.race([asking, exchanging]);
    expect((await signOut({}, fresh.as)).status).toBe(200);
    release();
    const { body } = await exchanging;
    auth.provider.lies({});
    // The keys may have been known: then it was over before.
    if (body.token === undefined) expect(body.failureDetail).toBe('signed_out');
    expect((await getToken({}, fresh.as)).status).toBe(404);
  });

  test('the bot itself: its token is refused at once, and its users are signed out', async () => {
    const gone = await newBot(auth);
    known.set(`${gone.tenantId} ${who}`, newId('user'));
    await exchange(await idpToken(), {}, gone.as);
    expect((await getToken({}, gone.as)).status).toBe(200);
    await auth.ask('DELETE', `/v1/tenants/${gone.tenantId}/bots/${gone.botId}`, { as: admin });
    const refused = await auth.ask<{ code: string }>('GET', `/api/usertoken/GetToken${at(chat())}`, { as: gone.as });
    expect([refused.status, refused.body.code]).toEqual([401, 'token_invalid']);
    const revoked = await events.seen(gone.tenantId, 'session.revoked');
    expect(revoked.data.reason.code).toBe('terminated');
    expect((await getToken()).status).toBe(404);
  });

  test('the application of the bot: its users are signed out, at each bot that it was, and nowhere else', async () => {
    const shared = await newMachine(auth, null, { tenants: [bot.tenantId, other.tenantId] });
    const asShared: string[] = [];
    for (const { tenantId } of [bot, other]) {
      const body = { name: 'Shared', clientId: shared.id, connections: [botConnection()] };
      await auth.ask('POST', `/v1/tenants/${tenantId}/bots`, { as: admin, body });
      asShared.push(await tokenOf(auth, shared, `bots:act tenant:${tenantId}`));
    }
    const own = await newBot(auth);
    known.set(`${own.tenantId} ${who}`, newId('user'));
    for (const as of [...asShared, own.as, bot.as])
      expect((await exchange(await idpToken(), {}, as)).body.token).toEqual(expect.any(String));
    const live = async ({ tenantId }: { tenantId: TenantId }) => {
      const path = `/v1/tenants/${tenantId}/users/${userIdOf(who, { tenantId } as TestBot)}/sessions`;
      type Items = { items: { status: string; delegate: { clientId: string } }[] };
      const { body } = await auth.ask<Items>('GET', path, { as: admin });
      return body.items.filter(({ status }) => status === 'live').map(({ delegate }) => delegate.clientId);
    };
    expect([await live(own), await live(other)]).toEqual([[own.machine.id], [shared.id]]);
    expect((await live(bot)).toSorted()).toEqual([bot.machine.id, shared.id].toSorted());
    await auth.ask('DELETE', `/v1/tenants/${own.tenantId}/applications/${own.machine.id}`, { as: admin });
    await eventually('they are signed out', async () => (await live(own)).length === 0);
    expect((await events.seen(own.tenantId, 'session.revoked')).data.reason.code).toBe('terminated');
    await auth.ask('DELETE', `/v1/applications/${shared.id}`, { as: admin });
    await eventually('they are signed out at both', async () => (await live(other)).length === 0);
    await eventually('and at the one', async () => (await live(bot)).length === 1);
    expect(await live(bot)).toEqual([bot.machine.id]);
    // The chat stays theirs: a bot may get another application.
    const next = await newMachine(auth, own.tenantId);
    const path = `/v1/tenants/${own.tenantId}/bots/${own.botId}`;
    expect((await auth.ask('PATCH', path, { as: admin, body: { clientId: next.id } })).status).toBe(200);
    known.set(`${own.tenantId} ${who}-else`, newId('user'));
    const asNext = await tokenOf(auth, next);
    const somebody = await idpToken({ sub: `${who}-else` });
    expect((await exchange(somebody, {}, asNext)).body.failureDetail).toBe('other_person');
    expect((await exchange(await idpToken(), {}, asNext)).body.token).toEqual(expect.any(String));
  });

  test('a bot that gets another application signs its people out of the former one when they come again', async () => {
    const moved = await newBot(auth);
    known.set(`${moved.tenantId} ${who}`, newId('user'));
    const before = decodeJwt((await exchange(await idpToken(), {}, moved.as)).body.token ?? '')['sid'] as string;
    const next = await newMachine(auth, moved.tenantId);
    const path = `/v1/tenants/${moved.tenantId}`;
    await auth.ask('PATCH', `${path}/bots/${moved.botId}`, { as: admin, body: { clientId: next.id } });
    const after = await exchange(await idpToken({ jti: 'next' }), {}, await tokenOf(auth, next));
    expect(after.body.token).toEqual(expect.any(String));
    const statusOf = async (id: string) =>
      (await auth.ask<{ status: string }>('GET', `${path}/sessions/${id}`, { as: admin })).body.status;
    const now = decodeJwt(after.body.token ?? '')['sid'] as string;
    expect([await statusOf(before), await statusOf(now)]).toEqual(['revoked', 'live']);
  });

  test('the person: nothing of them is kept at bots, and their chat is nobody’s', async () => {
    const [userId, somebody] = [userIdOf(), `${who}-else`];
    known.set(`${bot.tenantId} ${somebody}`, newId('user'));
    await exchange(await idpToken());
    const change = { userId: `${user}-b` };
    await exchange(await idpToken({ sub: somebody }), change);
    expect((await exchange(await idpToken({ sub: somebody }))).body.failureDetail).toBe('other_person');
    const details = { email: null, source: 'admin' } as const;
    await auth.announce(bot.tenantId, event('user.deleted', { id: userId as never, because: 'requested', details }));
    let attempt = 0;
    await eventually('the chat is free', async () => {
      attempt += 1;
      const { body } = await exchange(await idpToken({ sub: somebody, jti: `${attempt}` }));
      return body.token !== undefined;
    });
    // Whoever else there is stays who they are.
    expect((await getToken(change)).status).toBe(200);
    expect((await exchange(await idpToken(), change)).body.failureDetail).toBe('other_person');
  });

  test('its application, its connection, its auth_key', async () => {
    const changed = await newBot(auth);
    known.set(`${changed.tenantId} ${who}`, newId('user'));
    await exchange(await idpToken(), {}, changed.as);
    const path = `/v1/tenants/${changed.tenantId}/bots/${changed.botId}`;
    await auth.ask('PATCH', path, { as: admin, body: { connections: [botConnection({ name: 'mail' })] } });
    expect((await getToken({}, changed.as)).status).toBe(404);
    await auth.ask('PATCH', path, { as: admin, body: { connections: [botConnection()] } });
    expect((await getToken({}, changed.as)).status).toBe(200);
    const second = await auth.newConnection(changed.tenantId);
    await auth.ask('PATCH', `/v1/tenants/${changed.tenantId}/auth-keys/default`, {
      as: admin,
      body: { connectionId: second },
    });
    expect((await getToken({}, changed.as)).status).toBe(404);
    await auth.ask('DELETE', `/v1/tenants/${changed.tenantId}/clients/${changed.machine.id}`, { as: admin });
    await eventually('its token is refused', async () => (await getToken({}, changed.as)).status === 401);
  });
});

describe('who may call', () => {
  test('a bot by its token, in any spelling of the path, and nobody by another', async () => {
    await exchange(await idpToken());
    for (const path of ['/api/usertoken/GetToken', '/API/UserToken/gettoken'])
      expect((await auth.ask('GET', path + at(chat()), { as: bot.as })).status).toBe(200);
    const wide = await tokenOf(auth, bot.machine, `tenant:${bot.tenantId}`);
    expect((await getToken({}, wide)).status).toBe(403);
    expect((await getToken({}, await tokenOf(auth, await newMachine(auth, bot.tenantId)))).status).toBe(401);
    expect((await getToken({}, admin)).status).not.toBe(200);
    expect((await auth.ask('GET', `/api/usertoken/GetToken${at(chat())}`)).status).toBe(401);
  });

  test('an application of the platform for the tenant that its token names, and for no other', async () => {
    const machine = await newMachine(auth, null, { tenants: [bot.tenantId] });
    const { status, body } = await auth.ask<{ id: string }>('POST', `/v1/tenants/${bot.tenantId}/bots`, {
      as: admin,
      body: { name: 'Shared', clientId: machine.id, connections: [botConnection()] },
    });
    expect([status, body]).toEqual([201, expect.anything()]);
    const as = await tokenOf(auth, machine, `bots:act tenant:${bot.tenantId}`);
    expect((await exchange(await idpToken(), {}, as)).body.token).toEqual(expect.any(String));
    expect((await getToken({}, await tokenOf(auth, machine))).status).not.toBe(200);
    const elsewhere = await auth.token(machine, {
      grant_type: 'client_credentials',
      scope: `bots:act tenant:${other.tenantId}`,
      resource: auth.url,
    });
    expect(elsewhere.status).toBe(400);
    expect(
      (
        await auth.ask('POST', `/v1/tenants/${other.tenantId}/bots`, {
          as: admin,
          body: { name: 'X', clientId: machine.id },
        })
      ).status,
    ).toBe(400);
  });
});

describe('a sign-in by the page', () => {
  test('ends in digits, which sign the person in when they type them into the chat, once', async () => {
    const { body } = await resource();
    expect(body.tokenExchangeResource).toEqual({ id: expect.any(String), uri: audience });
    const asked = await arrive(body.signInLink);
    expect(asked.text).toContain('Concierge');
    expect(asked.text).toContain('Calendar');
    const { code } = await agree(body.signInLink);
    expect(code).toMatch(/^\d{6}$/);
    expect((await getToken()).status).toBe(404);
    const signedIn = await getToken({ code });
    expect(decodeJwt(signedIn.body.token ?? '')).toMatchObject({ sub: userIdOf(), act: { sub: bot.machine.id } });
    expect((await getToken({ code })).status).toBe(404);
    expect((await getToken()).status).toBe(200);
    await eventually('it is told', () => told('bot_sign_in.exchanged')[0]?.data.reason.code === 'code');
    // And by a token of the same person from now on.
    await signOut();
    expect((await exchange(await idpToken())).body.token).toEqual(expect.any(String));
  });

  test('shows who comes back to their own chat no digits: they are signed in', async () => {
    await exchange(await idpToken());
    await signOut();
    const { page } = await agree((await resource()).body.signInLink);
    expect(page.text).toContain('You are signed in at Concierge');
    expect((await getToken()).status).toBe(200);
    await eventually('it is told', () =>
      told('bot_sign_in.exchanged').some(({ data }) => data.reason.code === 'same_person'),
    );
  });

  test('by a link that somebody was sent signs its sender in as nobody, without the digits', async () => {
    const { signInLink } = (await resource()).body;
    const victim = `${who}-victim`;
    known.set(`${bot.tenantId} ${victim}`, newId('user'));
    const { code } = await agree(signInLink, createBrowser(), victim);
    expect((await getToken()).status).toBe(404);
    const wrong = ['000000', '123456'].find(one => one !== code) ?? '';
    expect((await getToken({ code: wrong })).status).toBe(404);
    // Those of one chat are no digits of another.
    expect((await getToken({ userId: `${user}-elsewhere`, code })).status).toBe(404);
    expect((await getToken({ channelId: 'directline', code })).status).toBe(404);
    expect((await getToken({ code }, other.as)).status).toBe(404);
    expect((await getToken({ code })).status).toBe(200);
  });

  test('refuses whoever comes by the link of a chat that is somebody else’s', async () => {
    await exchange(await idpToken());
    const page = await arrive((await resource()).body.signInLink, createBrowser(), `${who}-else`);
    expect([page.status, page.text]).toEqual([403, expect.stringContaining('somebody else')]);
    await eventually('it is told', () =>
      told('bot_sign_in.failed').some(({ data }) => data.reason.code === 'other_person'),
    );
    expect((await getToken()).status).toBe(200);
  });

  test('takes few wrong digits, and then none', async () => {
    const { signInLink } = (await resource()).body;
    const { code } = await agree(signInLink);
    const wrong = Array.from({ length: 5 }, (_, index) =>
      String((Number(code) + index + 1) % 1_000_000).padStart(6, '0'),
    );
    for (const digits of wrong) expect((await getToken({ code: digits })).status).toBe(404);
    expect((await getToken({ code })).status).toBe(404);
    await eventually('it is told', () =>
      told('bot_sign_in.failed').some(({ data }) => data.reason.code === 'wrong_code'),
    );
    expect((await arrive(signInLink)).status).toBe(400);
    const { code: fresh } = await agree((await resource()).body.signInLink);
    for (const digits of wrong.slice(0, 4).filter(one => one !== fresh)) await getToken({ code: digits });
    expect((await getToken({ code: fresh })).status).toBe(200);
  });

  test('counts once more where whoever was at it was killed, and takes no more guesses by that', async () => {
    const { code } = await agree((await resource()).body.signInLink);
    const isStopped = watched.stopAt('insert sessions');
    void getToken({ code }).catch(() => undefined);
    await isStopped;
    expect((await getToken()).status).toBe(404);
    expect((await getToken({ code: code === '000000' ? '000001' : '000000' })).status).toBe(404);
    expect((await getToken({ code })).status).toBe(200);
    expect((await getToken({ code })).status).toBe(404);
    await eventually('it is told', () => told('bot_sign_in.exchanged').length > 0);
    expect(told('bot_sign_in.exchanged')).toHaveLength(1);
  });

  test('by digits that come twice at once is one sign-in', async () => {
    const { code } = await agree((await resource()).body.signInLink);
    const answers = await Promise.all(Array.from({ length: 10 }, () => getToken({ code })));
    const sessions = answers.flatMap(({ body }) => (body.token ? [decodeJwt(body.token)['sid']] : []));
    expect(new Set(sessions).size).toBe(1);
    await eventually('it is told', () => told('bot_sign_in.exchanged').length > 0);
    expect(told('bot_sign_in.exchanged')).toHaveLength(1);
    expect(told('bot_sign_in.failed')).toHaveLength(0);
    expect((await getToken()).status).toBe(200);
  });

  test('comes to nothing where the person signs out while their digits are looked at', async () => {
    const { code } = await agree((await resource()).body.signInLink);
    const isAsked = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    auth.provisioning.answers(async ({ subject, email }) => {
      isAsked.resolve();
      await gate.promise;
      return { userId: userIdOf(subject) ?? newId('user'), email, displayName: subject, roles: [], created: false };
    });
    const entering = getToken({ code });
    await isAsked.promise;
    await signOut();
    auth.provisioning.answers(asUsual);
    gate.resolve();
    expect((await entering).status).toBe(404);
    expect((await getToken()).status).toBe(404);
    await eventually('it is told', () =>
      told('bot_sign_in.failed').some(({ data }) => data.reason.code === 'signed_out'),
    );
  });

  test('is not gone by a link that was changed, used, or is of a bot that is gone', async () => {
    const { signInLink } = (await resource()).body;
    const url = new URL(signInLink);
    const ticket = url.searchParams.get('ticket') ?? '';
    const [payload = '', mac] = ticket.split('.');
    const said = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
    const moved = Buffer.from(JSON.stringify({ ...said, tenantId: other.tenantId })).toString('base64url');
    const changed = (to: string) => {
      url.searchParams.set('ticket', to);
      return arrive(url.href);
    };
    for (const wrong of [`${moved}.${mac}`, `${ticket.slice(0, -2)}xx`, `${ticket}.x`, `${payload}.x.y.z`, 'x'])
      expect((await changed(wrong)).status).toBe(400);
    const { code } = await agree(signInLink);
    expect((await getToken({ code })).status).toBe(200);
    expect((await arrive(signInLink)).status).toBe(400);
    const gone = await newBot(auth);
    const link = (await resource({}, {}, gone.as)).body.signInLink;
    await auth.ask('DELETE', `/v1/tenants/${gone.tenantId}/bots/${gone.botId}`, { as: admin });
    expect((await arrive(link)).status).toBe(400);
  });

  test('is answered by the browser that was asked, for what it was asked, and may be refused', async () => {
    const { signInLink } = (await resource()).body;
    const browser = createBrowser();
    const asked = await arrive(signInLink, browser);
    const somebody = createBrowser();
    await arrive((await resource({}, { user: { id: `${user}-2` } })).body.signInLink, somebody, `${who}-2`);
    expect((await somebody.submit(asked, { answer: 'yes' })).status).toBe(403);
    const foreign = { ...asked, text: asked.text.replace(/name="request" value="[^"]+"/, 'name="request" value="x"') };
    expect((await browser.submit(foreign, { answer: 'yes' })).status).toBe(403);
    const refused = await browser.submit(asked, { answer: 'no' });
    expect(refused.text).toContain('You are not signed in at Concierge');
    expect((await browser.submit(asked, { answer: 'yes' })).status).toBe(400);
    await eventually('it is told', () =>
      told('bot_sign_in.failed').some(({ data }) => data.reason.code === 'refused_by_person'),
    );
  });

  test('counts for nothing once the person has signed out at the browser', async () => {
    const { signInLink } = (await resource()).body;
    const { code } = await agree(signInLink);
    await auth.ask('POST', `/v1/tenants/${bot.tenantId}/users/${userIdOf()}/sessions:terminate`, { as: admin });
    expect((await getToken({ code })).status).toBe(404);
  });

  test('has to be made by the bot whose state it is, for a channel that the bot is at', async () => {
    expect((await resource({ msAppId: bot.machine.id })).status).toBe(200);
    expect((await resource({ msAppId: other.machine.id })).status).toBe(400);
    expect((await resource({ connectionName: 'mail' })).status).toBe(404);
    expect(
      (await auth.ask('GET', `/api/botsignin/GetSignInResource${at({ state: '%%%' })}`, { as: bot.as })).status,
    ).toBe(400);
    const both = `/api/usertoken/GetTokenOrSignInResource${at({ ...chat({ userId: 'another' }), state: stateOf() })}`;
    expect((await auth.ask('GET', both, { as: bot.as })).status).toBe(400);
    await auth.ask('PATCH', `/v1/tenants/${other.tenantId}/bots/${other.botId}`, {
      as: admin,
      body: { allowedServiceUrls: ['https://channel.example/bots'] },
    });
    const from = async (serviceUrl: string) => (await resource({}, { serviceUrl }, other.as)).status;
    expect(await from('https://channel.example/bots/1/')).toBe(200);
    for (const url of [
      'https://channel.example.evil.example/bots/',
      'https://channel.example/botsy',
      'https://x@channel.example/bots/',
      'http://channel.example/bots/',
      '',
    ])
      expect(await from(url)).toBe(400);
    await auth.ask('PATCH', `/v1/tenants/${other.tenantId}/bots/${other.botId}`, {
      as: admin,
      body: { allowedServiceUrls: [] },
    });
  });

  test('a link as text, a token or a link, how it stands at each connection, and tokens by their APIs', async () => {
    for (const path of ['/api/botsignin/GetSignInUrl', '/api/agentsignin/getSignInUrl']) {
      const text = await fetch(`${auth.url}${path}${at({ state: stateOf() })}`, {
        headers: { authorization: `Bearer ${bot.as}` },
      });
      expect([text.headers.get('content-type'), await text.text()]).toEqual([
        expect.stringContaining('text/plain'),
        expect.stringContaining(`${auth.url}/bot/sign-in?ticket=`),
      ]);
    }
    const both = () =>
      auth.ask<{ tokenResponse?: UserToken; signInResource?: Resource }>(
        'GET',
        `/api/usertoken/GetTokenOrSignInResource${at({ ...chat(), state: stateOf(), finalRedirect: '', fwdUrl: '' })}`,
        { as: bot.as },
      );
    expect((await both()).body).toEqual({
      signInResource: {
        signInLink: expect.any(String),
        tokenExchangeResource: expect.anything(),
        // The SDK for Python makes no card without it.
        tokenPostResource: {},
      },
    });
    const status = (include: object = {}) =>
      auth.ask('GET', `/api/usertoken/GetTokenStatus${at({ userId: user, channelId: 'webchat', ...include })}`, {
        as: bot.as,
      });
    const said = { channelId: 'webchat', connectionName, serviceProviderDisplayName: 'An identity provider' };
    expect((await status()).body).toEqual([{ ...said, hasToken: false }]);
    await exchange(await idpToken());
    expect((await both()).body).toEqual({ tokenResponse: expect.objectContaining({ connectionName }) });
    expect((await status()).body).toEqual([{ ...said, hasToken: true }]);
    expect((await status({ include: 'mail' })).body).toEqual([]);
    const tokens = await auth.ask<Record<string, UserToken>>('POST', `/api/usertoken/GetAadTokens${at(chat())}`, {
      as: bot.as,
      body: { resourceUrls: [api, 'https://other.example'] },
    });
    expect(tokens.body).toEqual({ [api]: expect.objectContaining({ token: expect.any(String) }) });
  });
});

describe('an invoke activity', () => {
  test('is answered to the letter: 200 and no card, or the card', async () => {
    const value = async (change: object = {}) => ({ id: 'one', connectionName, token: await idpToken(), ...change });
    const done = await invoke(await value());
    expect([done.status, done.body]).toEqual([200, { id: 'one', connectionName, failureDetail: null }]);
    expect((await getToken()).status).toBe(200);
    const failed = await invoke(await value({ id: 'two', token: await idpToken({ aud: 'api://other' }) }));
    expect([failed.status, failed.body]).toEqual([
      412,
      { id: 'two', connectionName, failureDetail: expect.stringContaining('Proceed with regular login') },
    ]);
    const mismatch = await invoke(await value({ id: 'three', connectionName: 'mail' }));
    expect([mismatch.status, mismatch.body]).toEqual([
      400,
      { id: 'three', connectionName: 'mail', failureDetail: expect.any(String) },
    ]);
    for (const malformed of [undefined, null, {}, { id: 'x' }, 'text']) {
      const { status, body } = await invoke(malformed);
      expect([status, body]).toEqual([400, { failureDetail: expect.any(String) }]);
    }
    expect((await invoke(await value(), { type: 'Invoke' })).status).toBe(200);
    expect((await invoke(await value(), { name: 'composeExtension/query' })).status).toBe(501);
    expect((await invoke(await value(), { type: 'message' })).status).toBe(400);
  });

  test('that all clients of a person send is one exchange, with fifty equal answers', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, index) =>
        invoke({ id: 'same', connectionName, token: await idpToken({ jti: `${index}` }) }),
      ),
    );
    for (const { status, body } of answers)
      expect([status, body]).toEqual([200, { id: 'same', connectionName, failureDetail: null }]);
    await eventually('it is told', () => told('bot_sign_in.exchanged').length > 0);
    expect(told('bot_sign_in.exchanged')).toHaveLength(1);
  });

  test('is of the person of the channel’s directory, where the channel says who that is', async () => {
    const send = async (oid: string, aadObjectId: string) =>
      (
        await invoke(
          { id: `${oid}`, connectionName, token: await idpToken({ oid, tid: 'acme' }) },
          { from: { id: user, aadObjectId } },
        )
      ).status;
    expect(await send('one', 'two')).toBe(412);
    expect(await send('three', 'THREE')).toBe(200);
  });

  test('waits for the person where they have to agree, whom the page asks', async () => {
    const careful = await newBot(auth, { connections: [botConnection({ consent: 'person' })] });
    known.set(`${careful.tenantId} ${who}`, newId('user'));
    const send = async (id: string) => invoke({ id, connectionName, token: await idpToken() }, { as: careful.as });
    const asked = await send('one');
    expect([asked.status, asked.body?.failureDetail]).toEqual([412, expect.stringContaining('consent_required')]);
    const { body } = await auth.ask<Resource>('GET', `/bot/sign-in-resource${at(chat())}`, { as: careful.as });
    const { code } = await agree(body.signInLink);
    expect((await invoke({ state: code }, { name: 'signin/verifyState', as: careful.as })).status).toBe(200);
    await signOut({}, careful.as);
    expect((await send('two')).status).toBe(200);
    // To no more than the page has said: neither by another exchange, nor by the session that they are in.
    const botPath = `/v1/tenants/${careful.tenantId}/bots/${careful.botId}`;
    const change = async (settings: object) =>
      auth.ask('PATCH', botPath, {
        as: await auth.asPlatform(),
        body: { connections: [botConnection({ consent: 'person', ...settings })] },
      });
    const tokenNow = async () =>
      (await auth.ask('GET', `/api/usertoken/GetToken${at(chat())}`, { as: careful.as })).status;
    expect(await tokenNow()).toBe(200);
    await change({ scopes: ['events.read', 'events.write'] });
    // Nor by an answer that was given before.
    expect([await tokenNow(), (await send('three')).status, (await send('two')).status]).toEqual([404, 412, 412]);
    await change({});
    expect([await tokenNow(), (await send('four')).status]).toEqual([200, 200]);
  });

  test('with the digits of the page signs in, once; with others it finds nothing; a failure is told', async () => {
    const { code } = await agree((await resource()).body.signInLink);
    const verify = async (state: unknown) => {
      const { status, body } = await invoke({ state }, { name: 'signin/verifyState' });
      return [status, body];
    };
    expect(await verify('CancelledByUser')).toEqual([404, '']);
    expect(await verify(code === '000000' ? '000001' : '000000')).toEqual([404, '']);
    expect(await verify(code)).toEqual([200, '']);
    expect(await verify(code)).toEqual([404, '']);
    expect((await invoke({ code: 'resourcematchfailed', message: '<b>' }, { name: 'signin/failure' })).status).toBe(
      200,
    );
    const [event] = await eventually('it is told', () => {
      const found = told('bot_sign_in.failed').filter(({ data }) => data.reason.code === 'reported_by_client');
      return found.length > 0 ? found : null;
    });
    expect(event?.data.details['problem']).toBe('resourcematchfailed');
  });
});

test('forms of the page lead nowhere else', async () => {
  const page = await arrive((await resource()).body.signInLink);
  expect(formOf(page, '/bot/signed-in')).not.toBeNull();
  expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
});

test.each([
  ['GET', '/bot/sign-in', 400, 'input_invalid'],
  ['GET', '/bot/signed-in', 400, 'input_invalid'],
  ['GET', '/bot/signed-in?state=x&error=access_denied', 400, 'sign_in_failed'],
  ['POST', '/bot/signed-in', 415, 'content_type_unsupported'],
] as const)('%s %s shows a stranger nothing', async (method, path, status, code) => {
  const response = await fetch(auth.url + path, { method });
  expect([response.status, await response.text()]).toEqual([status, expect.stringContaining(code)]);
});
