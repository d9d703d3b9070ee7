// Step-up: who is asked for more than their provider's word, what they can show, and what nobody gains by showing it
// twice, elsewhere or for somebody else. Passkeys in a real browser are in factors/passkeys.integration.test.ts.
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { event, newId, type TenantId } from '@reeve/contracts';
import {
  type Browser,
  createBrowser,
  type EventReader,
  eventually,
  type Page,
  readEvents,
  textsIn,
} from '@reeve/testing';
import { decodeJwt } from 'jose';
import { Secret, TOTP } from 'otpauth';
import { type Application, type Auth, callback, startAuth } from '../auth.test-support.ts';

const mfa = 'urn:reeve:acr:mfa';
const resistant = 'urn:reeve:acr:phishing-resistant';
const noPolicy = { everywhere: null, surfaces: [], actions: [], trusted: [] };

let auth: Auth;
let events: EventReader;
let tenantId: TenantId;
let application: Application;
let as: string;

beforeAll(async () => {
  auth = await startAuth();
  events = await readEvents('reeve.auth.v1', 'reeve.secret.v1');
  as = await auth.asPlatform();
}, 60_000);
afterAll(async () => {
  await events.stop();
  await auth.stop();
});
beforeEach(async () => {
  ({ tenantId } = await auth.newTenant());
  await auth.newConnection(tenantId);
  application = await auth.newApplication(tenantId);
  auth.provider.is({ sub: newId('request'), email: 'ada@acme.example' });
}, 30_000);

/** The code of now, or of so many steps of half a minute later. */
const codeOf = (secret: string, later = 0) =>
  new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + later * 30_000 });

/** The service runs in this process: its clock goes ahead, and nothing waits. */
async function later(ms: number, act: () => Promise<void>): Promise<void> {
  jest.useFakeTimers({
    now: Date.now() + ms,
    doNotFake: [
      'nextTick',
      'setImmediate',
      'clearImmediate',
      'setInterval',
      'clearInterval',
      'setTimeout',
      'clearTimeout',
      'queueMicrotask',
      'performance',
      'hrtime',
    ],
  });
  try {
    await act();
  } finally {
    jest.useRealTimers();
  }
}

const setPolicy = (policy: object) =>
  auth.ask('PUT', `/v1/tenants/${tenantId}/step-up-policy`, { as, body: { ...noPolicy, ...policy } });

/** A form of a page, by what it says it is. */
const answer = (browser: Browser, page: Page, fields: Record<string, string>) =>
  browser.submit({ ...page, text: `<form method="post" action="${actionOf(page)}"></form>` }, fields, callback);
const actionOf = (page: Page) => /action="(\/interaction\/[^"]+)"/.exec(page.text)?.[1] ?? '';
/** At the application, with a code for tokens. */
const isBack = ({ url }: Page) => url.href.startsWith(callback) && url.searchParams.has('code');
const complaintOn = (page: Page) => textsIn(page, '#complaint')[0] ?? null;

type Enrolled = {
  browser: Browser;
  page: Page;
  verifier: string;
  secret: string;
  code: string;
  recoveryCodes: string[];
};

/** Signs in for the first time where a level is demanded: sets up a TOTP, and stops at its recovery codes. */
async function enrolledAtSignIn(parameters: Record<string, unknown> = { acr_values: mfa }): Promise<Enrolled> {
  const { browser, page: first, verifier } = await auth.authorize(application, parameters);
  const setUp = await totpPageOf(browser, first);
  const secret = (textsIn(setUp, 'code')[0] ?? '').replaceAll(' ', '');
  const code = codeOf(secret);
  const page = await answer(browser, setUp, { factor: 'confirm-totp', code });
  return { browser, page, verifier, secret, code, recoveryCodes: textsIn(page, 'li code') };
}
const totpPageOf = (browser: Browser, page: Page) =>
  page.text.includes('name="kind"') ? answer(browser, page, { factor: 'enrol', kind: 'totp' }) : Promise.resolve(page);

/** The tokens for what a browser brings back to the application. */
async function redeemed(page: Page, verifier: string, resource?: string) {
  const { body } = await auth.token(application, {
    grant_type: 'authorization_code',
    code: page.url.searchParams.get('code') ?? '',
    redirect_uri: callback,
    code_verifier: verifier,
    ...(resource === undefined ? {} : { resource }),
  });
  return { tokens: body, claims: decodeJwt(body['id_token'] ?? '') };
}

/** A person with a TOTP and a session that has just reached a level by it. */
async function withTotp(parameters: Record<string, unknown> = {}) {
  const one = await enrolledAtSignIn({ acr_values: mfa, ...parameters });
  const back = await answer(one.browser, one.page, { factor: 'done' });
  const resource = parameters['resource'] as string | undefined;
  return { ...one, ...(await redeemed(back, one.verifier, resource)) };
}

/** The same person at a browser that nobody is signed in at. */
const elsewhere = (parameters: Record<string, unknown> = { acr_values: mfa }) =>
  auth.authorize(application, parameters);

const eventsOf = (type: string, id?: unknown) =>
  events.of(tenantId).filter(one => one.type === type && (id === undefined || one.data.target?.id === id));

describe('a level', () => {
  test('is asked for by the application: the first factor is set up at the first sign-in, and tokens say so', async () => {
    const { claims, tokens, recoveryCodes } = await withTotp({ resource: auth.url });
    expect(claims).toMatchObject({ acr: mfa, amr: ['fed', 'otp', 'mfa'] });
    expect(recoveryCodes).toHaveLength(10);
    const again = await auth.refresh(application, tokens['refresh_token'] ?? '');
    expect(decodeJwt(again.body['access_token'] ?? '')).toMatchObject({ acr: mfa });
    await eventually('the events', () => eventsOf('step_up.succeeded', claims['sid']).length === 1);
    expect(eventsOf('step_up.succeeded')[0]?.data).toMatchObject({
      reason: { code: 'factor' },
      details: { userId: claims.sub, acr: mfa, kind: 'totp' },
    });
    expect(eventsOf('mfa_factor.enrolled').map(({ data }) => data['details'])).toEqual([
      { userId: claims.sub, kind: 'totp' },
      { userId: claims.sub, kind: 'recovery_codes' },
    ]);
    // Nothing secret is told.
    const told = JSON.stringify(events.of(tenantId));
    for (const code of recoveryCodes) expect(told).not.toContain(code);
  });

  test('is not asked for where nobody demands one, nor by a value that nobody here knows', async () => {
    const { claims, browser } = await auth.signIn(application);
    expect([claims['acr'], claims['amr']]).toEqual([undefined, ['fed']]);
    const unknown = await auth.signIn(application, { browser, acr_values: 'urn:reeve:acr:everything' });
    expect(unknown.claims['acr']).toBeUndefined();
    expect(auth.provider.asked.at(-1)?.get('acr_values')).not.toBe(mfa);
  });

  test('is never what a request says: only what was shown', async () => {
    const claims = JSON.stringify({
      id_token: { acr: { value: mfa, essential: true } },
      userinfo: { acr: { value: mfa } },
    });
    const { page } = await auth.authorize(application, { claims });
    expect([isBack(page), page.status]).toEqual([false, 200]);
    auth.provider.is({ sub: 'liar', acr: mfa, amr: ['mfa'] });
    const other = await auth.authorize(application, { acr_values: mfa });
    expect([isBack(other.page), other.page.status]).toEqual([false, 200]);
  });

  test('goes to no provider by our names, and those of providers still do', async () => {
    await auth.authorize(application, { acr_values: `${mfa} https://refeds.org/profile/mfa` });
    expect(auth.provider.asked.at(-1)?.get('acr_values')).toBe('https://refeds.org/profile/mfa');
  });

  test('is announced in the metadata', async () => {
    const metadata = await (await fetch(`${auth.url}/.well-known/openid-configuration`)).json();
    expect(metadata).toMatchObject({ acr_values_supported: [mfa, resistant] });
  });
});

describe('a session that goes on', () => {
  test('reaches a level without its provider, with another cookie, and the sign-in of before keeps its time', async () => {
    const { secret } = await withTotp();
    const { browser, claims: before } = await auth.signIn(application);
    expect(before['acr']).toBeUndefined();
    const cookieOf = async () =>
      (await browser.jar.getCookies(auth.url)).find(({ key }) => key === 'reeve_session')?.value;
    const [asked, cookie] = [auth.provider.asked.length, await cookieOf()];
    const { page, verifier } = await auth.authorize(application, { browser, acr_values: mfa });
    const back = await answer(browser, page, { factor: 'totp', code: codeOf(secret, 1) });
    const { claims } = await redeemed(back, verifier);
    expect(claims).toMatchObject({ acr: mfa, sid: before['sid'], auth_time: before['auth_time'] });
    expect([auth.provider.asked.length, (await cookieOf()) === cookie]).toEqual([asked, false]);
    // And is not asked once more.
    const silent = await auth.signIn(application, { browser, acr_values: mfa, prompt: 'none' });
    expect(silent.claims['acr']).toBe(mfa);
  });

  test('goes to its provider where the application asks for an age as well', async () => {
    const { browser } = await withTotp();
    const asked = auth.provider.asked.length;
    await new Promise(resolve => setTimeout(resolve, 1_100));
    auth.provider.is({ sub: 'x', auth_time: Math.floor(Date.now() / 1_000) });
    await auth.authorize(application, { browser, acr_values: mfa, max_age: '0' });
    expect(auth.provider.asked.length).toBe(asked + 1);
  });

  test('goes to its provider where the person is to choose an account', async () => {
    await withTotp();
    const { browser } = await auth.signIn(application);
    const asked = auth.provider.asked.length;
    await auth.authorize(application, { browser, acr_values: mfa, prompt: 'select_account' });
    expect(auth.provider.asked.length).toBe(asked + 1);
  });

  test('without a factor it gets none: the person signs in at the provider first', async () => {
    const { browser } = await auth.signIn(application);
    const asked = auth.provider.asked.length;
    const { page } = await auth.authorize(application, { browser, acr_values: mfa });
    expect(auth.provider.asked.length).toBe(asked + 1);
    expect(auth.provider.asked.at(-1)?.get('prompt')).toBe('login');
    expect(textsIn(page, 'h1')[0]).toBe('Set up an authenticator application');
  });

  test('a sign-in at the provider alone takes the level back: it was of the sign-in before', async () => {
    const { browser, claims } = await withTotp();
    const again = await auth.signIn(application, { browser, prompt: 'login' });
    expect([again.claims['sid'], again.claims['acr']]).toEqual([claims['sid'], undefined]);
  });

  test('with prompt=none there is an error instead of a page', async () => {
    const { browser } = await auth.signIn(application);
    const { page } = await auth.authorize(application, { browser, acr_values: mfa, prompt: 'none' });
    expect(page.url.searchParams.get('error')).toBe('login_required');
  });

  test('ends for somebody else: what was asked of one person is not shown by another in another tab', async () => {
    const ada = await withTotp();
    const { browser } = await auth.signIn(application);
    const { page } = await auth.authorize(application, { browser, acr_values: mfa });
    auth.provider.is({ sub: 'grace' });
    await auth.signIn(application, { browser, prompt: 'login' });
    const refused = await answer(browser, page, { factor: 'totp', code: codeOf(ada.secret, 1) });
    expect(refused.text).toContain('sign_in_expired');
  });

  test('is of its own browser alone', async () => {
    const { secret } = await withTotp();
    const { browser } = await auth.signIn(application);
    const { page } = await auth.authorize(application, { browser, acr_values: mfa });
    const fields = { factor: 'totp', code: codeOf(secret, 1) };
    expect((await answer(createBrowser(), page, fields)).text).toContain('sign_in_expired');
    expect(isBack(await answer(browser, page, fields))).toBe(true);
  });
});

describe('a code', () => {
  test('counts once, and none before it: at another browser, a moment later', async () => {
    const { secret, code } = await withTotp();
    const { browser, page } = await elsewhere();
    const replayed = await answer(browser, page, { factor: 'totp', code });
    expect(complaintOn(replayed)).toMatch(/was used already/);
    const earlier = await answer(browser, replayed, { factor: 'totp', code: codeOf(secret, -1) });
    expect(complaintOn(earlier)).not.toBeNull();
    const next = await answer(browser, earlier, { factor: 'totp', code: codeOf(secret, 1) });
    expect(isBack(next)).toBe(true);
    await eventually('the events', () => eventsOf('step_up.failed').length === 2);
    expect(eventsOf('step_up.failed')[0]?.data.reason?.code).toBe('used');
  });

  test('counts for one of ten who bring it at the same moment', async () => {
    const { secret } = await withTotp();
    const ten = await Promise.all(Array.from({ length: 10 }, () => elsewhere()));
    const code = codeOf(secret, 1);
    const came = await Promise.all(ten.map(({ browser, page }) => answer(browser, page, { factor: 'totp', code })));
    expect(came.filter(isBack)).toHaveLength(1);
  });

  test('is not looked at after five wrong ones; a recovery code lets its owner in, and clears the count', async () => {
    const { secret, recoveryCodes } = await withTotp();
    const { browser, page: first } = await elsewhere();
    let page = first;
    for (let count = 0; count < 5; count += 1) page = await answer(browser, page, { factor: 'totp', code: '000 000' });
    expect(complaintOn(page)).toMatch(/not right/);
    // Nor at another browser, by whoever has the first factor.
    const other = await elsewhere();
    const locked = await answer(other.browser, other.page, { factor: 'totp', code: codeOf(secret, 1) });
    expect(complaintOn(locked)).toMatch(/too many wrong codes/);
    const recovered = await answer(browser, page, { factor: 'recovery', code: recoveryCodes[0] ?? '' });
    expect(isBack(recovered)).toBe(true);
    const open = await answer(other.browser, locked, { factor: 'totp', code: codeOf(secret, 1) });
    expect(isBack(open)).toBe(true);
    await eventually('the events', () => eventsOf('mfa_factor.recovery_code_used').length === 1);
    expect(eventsOf('mfa_factor.recovery_code_used')[0]?.data['details']).toMatchObject({ remaining: 9 });
    expect(eventsOf('step_up.failed')).toHaveLength(5);
  }, 30_000);

  test('is not locked by strangers: nobody gets as far as a code without the first factor', async () => {
    const { secret } = await withTotp();
    auth.provider.is({ sub: 'grace', email: 'ada@acme.example' });
    const { page } = await elsewhere();
    // Somebody else of the same tenant is asked to set up their own.
    expect(textsIn(page, 'h1')[0]).toBe('Set up an authenticator application');
    expect(secret).not.toBe('');
  });

  test('that is posted twice lets its owner in all the same, and is used up once', async () => {
    const { recoveryCodes } = await withTotp();
    for (const [index, pauseMs] of [0, 3, 8, 15, 30].entries()) {
      const { browser, page } = await elsewhere();
      const fields = { factor: 'recovery', code: recoveryCodes[index] ?? '' };
      const twice = await Promise.all([
        answer(browser, page, fields),
        new Promise(resolve => setTimeout(resolve, pauseMs)).then(() => answer(browser, page, fields)),
      ]);
      expect(twice.filter(isBack).length).toBeGreaterThan(0);
      expect((await elsewhere({ browser, acr_values: mfa, prompt: 'none' })).code).not.toBeNull();
    }
    await eventually('each is used', () => eventsOf('mfa_factor.recovery_code_used').length === 5);
  });

  test('of recovery counts for one of ten who bring it at the same moment, and never again', async () => {
    const { recoveryCodes } = await withTotp();
    const ten = await Promise.all(Array.from({ length: 10 }, () => elsewhere()));
    const code = (recoveryCodes[0] ?? '').toUpperCase().replaceAll('-', ' ');
    const came = await Promise.all(ten.map(({ browser, page }) => answer(browser, page, { factor: 'recovery', code })));
    expect(came.filter(isBack)).toHaveLength(1);
    const { browser, page } = await elsewhere();
    expect(complaintOn(await answer(browser, page, { factor: 'recovery', code }))).toMatch(/not right, or was used/);
    const other = await answer(browser, page, { factor: 'recovery', code: recoveryCodes[1] ?? '' });
    expect(isBack(other)).toBe(true);
  }, 30_000);

  test('is another person’s, or another tenant’s, and counts for nobody else', async () => {
    const ada = await withTotp();
    auth.provider.is({ sub: 'grace' });
    const grace = await withTotp();
    const { browser, page } = await elsewhere();
    expect(complaintOn(await answer(browser, page, { factor: 'totp', code: codeOf(ada.secret, 1) }))).not.toBeNull();
    const stolen = await answer(browser, page, { factor: 'recovery', code: ada.recoveryCodes[0] ?? '' });
    expect(complaintOn(stolen)).not.toBeNull();
    const own = await answer(browser, page, { factor: 'totp', code: codeOf(grace.secret, 1) });
    expect(isBack(own)).toBe(true);
  });

  test('of nothing that was asked is no answer', async () => {
    const { secret } = await withTotp();
    const { browser, page } = await elsewhere();
    const answered = await answer(browser, page, { factor: 'totp', code: codeOf(secret, 1) });
    expect(isBack(answered)).toBe(true);
    const again = await answer(browser, page, { factor: 'totp', code: codeOf(secret, 1) });
    expect(again.text).toContain('sign_in_expired');
  });
});

describe('a new factor', () => {
  test('needs the one that is there: a form of one’s own making sets up nothing', async () => {
    await withTotp();
    const { browser, page } = await elsewhere({ enrol: 'passkey' });
    for (const fields of [
      { factor: 'enrol', kind: 'totp' },
      { factor: 'confirm-totp', code: '123456' },
      { factor: 'done' },
    ]) {
      const refused = await answer(browser, page, fields);
      expect([textsIn(refused, 'h1')[0], isBack(refused)]).toEqual(['One more step', false]);
    }
  });

  test('is set up once where two tabs set one up at the same moment', async () => {
    const browser = createBrowser();
    const { page: one } = await auth.authorize(application, { acr_values: mfa });
    expect(textsIn(one, 'code')).not.toEqual([]);
    const tabs = await Promise.all([auth.authorize(application, { acr_values: mfa, browser }), elsewhere()]);
    const secrets = tabs.map(({ page }) => (textsIn(page, 'code')[0] ?? '').replaceAll(' ', ''));
    const came = await Promise.all(
      tabs.map((tab, at) => answer(tab.browser, tab.page, { factor: 'confirm-totp', code: codeOf(secrets[at] ?? '') })),
    );
    expect(came.filter(page => textsIn(page, 'h1')[0] === 'Keep these recovery codes').length).toBe(1);
  });

  test('is neither shown nor set up for somebody who is deactivated on the way', async () => {
    const { claims } = await auth.signIn(application);
    const { browser, page } = await auth.authorize(application, { acr_values: mfa });
    const secret = (textsIn(page, 'code')[0] ?? '').replaceAll(' ', '');
    const id = claims.sub as never;
    const details = { email: null, source: 'admin', cause: 'requested' };
    await auth.announce(tenantId, event('user.deactivated', { id, because: 'requested', details }));
    await eventually('the end', () => eventsOf('session.revoked', claims['sid']).length === 1);
    const set = await answer(browser, page, { factor: 'confirm-totp', code: codeOf(secret) });
    expect([set.status, set.text.includes('user_deactivated')]).toEqual([403, true]);
    const path = `/v1/tenants/${tenantId}/mfa-factors?userId=${claims.sub}`;
    expect((await auth.ask<{ items: object[] }>('GET', path, { as })).body.items).toEqual([]);
    // Another one than that goes on.
    auth.provider.is({ sub: newId('request') });
    await withTotp();
  });

  test('may be asked for by an application, and then begins with a sign-in', async () => {
    const { browser } = await auth.signIn(application);
    const asked = auth.provider.asked.length;
    const { page } = await auth.authorize(application, { browser, enrol: 'totp' });
    expect([auth.provider.asked.length, textsIn(page, 'h1')[0]]).toEqual([
      asked + 1,
      'Set up an authenticator application',
    ]);
  });
});

describe('a tenant’s policy', () => {
  test('demands a level of a surface, and of no other', async () => {
    await setPolicy({ surfaces: [{ surface: 'console', level: 'mfa', maxAgeSeconds: null }] });
    const console = await auth.newApplication(tenantId, { surface: 'console' });
    const plain = await auth.signIn(application);
    expect(plain.claims['acr']).toBeUndefined();
    const { page } = await auth.authorize(console, { browser: plain.browser });
    expect([page.status, textsIn(page, 'h1')[0]]).toEqual([200, 'Set up an authenticator application']);
  });

  test('says how fresh: a level of before is shown again', async () => {
    const { browser, secret } = await withTotp();
    await setPolicy({ everywhere: { level: 'mfa', maxAgeSeconds: 60 } });
    expect((await auth.signIn(application, { browser })).claims['acr']).toBe(mfa);
    await later(61_000, async () => {
      const { page } = await auth.authorize(application, { browser });
      expect(textsIn(page, 'h1')[0]).toBe('One more step');
      const back = await answer(browser, page, { factor: 'totp', code: codeOf(secret, 1) });
      expect(isBack(back)).toBe(true);
    });
  });

  test('takes a provider’s word for a level where it says so, and from no other connection', async () => {
    const { body } = await auth.ask<{ items: { id: string }[] }>('GET', `/v1/tenants/${tenantId}/sso-connections`, {
      as,
    });
    const connectionId = body.items[0]?.id;
    auth.provider.is({ sub: 'ada', amr: ['pwd', 'mfa'], acr: 'urn:idp:strong' });
    expect(isBack((await elsewhere()).page)).toBe(false);
    await setPolicy({ trusted: [{ connectionId, level: 'mfa', acr: [], amr: ['mfa'] }] });
    const { claims } = await auth.signIn(application, { acr_values: mfa });
    expect(claims).toMatchObject({ acr: mfa, amr: ['fed', 'pwd', 'mfa'] });
    await eventually('the event', () => eventsOf('step_up.succeeded', claims['sid']).length === 1);
    expect(eventsOf('step_up.succeeded')[0]?.data.reason?.code).toBe('identity_provider');
    // Where nobody asks for the level, what the provider says is told as it is.
    expect((await auth.signIn(application)).claims['acr']).toBe('urn:idp:strong');
    // Not more than was said.
    expect(isBack((await elsewhere({ acr_values: resistant })).page)).toBe(false);
    await auth.newConnection(tenantId);
    const { body: all } = await auth.ask<typeof body>('GET', `/v1/tenants/${tenantId}/sso-connections`, { as });
    const other = all.items.find(({ id }) => id !== connectionId)?.id;
    expect(isBack((await elsewhere({ acr_values: mfa, connection: other })).page)).toBe(false);
    expect(isBack((await elsewhere({ acr_values: mfa, connection: connectionId })).page)).toBe(true);
  });

  test('takes no provider’s word any longer that it once took: not in live sessions, nor at a refresh', async () => {
    auth.provider.is({ sub: newId('request'), amr: ['pwd', 'mfa'] });
    const takes = (amr: string[]) => setPolicy({ trusted: [{ connectionId: null, level: 'mfa', acr: [], amr }] });
    await takes(['mfa']);
    const { browser, tokens } = await auth.signIn(application, { acr_values: mfa, resource: auth.url });
    const refreshed = await auth.refresh(application, tokens['refresh_token'] ?? '');
    expect(decodeJwt(refreshed.body['access_token'] ?? '')).toMatchObject({ acr: mfa });
    expect(isBack((await auth.authorize(application, { browser, acr_values: mfa })).page)).toBe(true);
    await takes(['hwk']);
    await eventually('the policy of now', async () => {
      const { body } = await auth.refresh(application, refreshed.body['refresh_token'] ?? '');
      return decodeJwt(body['access_token'] ?? '')['acr'] === undefined;
    });
    const { page } = await auth.authorize(application, { browser, acr_values: mfa });
    expect(isBack(page)).toBe(false);
  });

  test('is refused where it names what is not there, and its change is on record', async () => {
    const path = `/v1/tenants/${tenantId}/step-up-policy`;
    for (const wrong of [
      { trusted: [{ connectionId: newId('connection'), level: 'mfa', acr: ['x'], amr: [] }] },
      { trusted: [{ connectionId: null, level: 'mfa', acr: [], amr: [] }] },
      { actions: [{ action: 'consents:read', level: 'mfa', maxAgeSeconds: null }] },
      { surfaces: [{ surface: 'Console', level: 'mfa', maxAgeSeconds: null }] },
      { everywhere: { level: 'urn:reeve:acr:mfa', maxAgeSeconds: null } },
      { everywhere: { level: 'mfa', maxAgeSeconds: 1 } },
    ])
      expect(await setPolicy(wrong)).toMatchObject({ status: 400, body: { code: 'input_invalid' } });
    expect((await auth.ask('GET', path, { as })).body).toEqual(noPolicy);
    const everywhere = { level: 'mfa', maxAgeSeconds: 3_600 };
    expect(await setPolicy({ everywhere })).toMatchObject({ status: 200, body: { everywhere } });
    await setPolicy({ everywhere });
    await eventually('the event', () => eventsOf('policy.updated').length > 0);
    expect(eventsOf('policy.updated').map(({ data }) => data['details'])).toEqual([
      { kind: 'step-up', changed: ['everywhere'] },
    ]);
  });

  test('demands a level for an action: RFC 9470 says which, and a token that has it passes', async () => {
    await asAdministrators(async () => {
      await setPolicy({ actions: [{ action: 'connections:read', level: 'mfa', maxAgeSeconds: 600 }] });
      const path = `/v1/tenants/${tenantId}/sso-connections`;
      const plain = await auth.signIn(application, { resource: auth.url });
      const refused = await auth.ask('GET', path, { as: plain.tokens['access_token'] ?? '' });
      expect(refused).toMatchObject({ status: 401, body: { code: 'insufficient_user_authentication' } });
      expect(refused.headers.get('www-authenticate')).toContain(
        `Bearer error="insufficient_user_authentication", error_description="The person has to sign in more surely, or once more", acr_values="${mfa}", max_age=600`,
      );
      const sure = await withTotp({ resource: auth.url });
      expect((await auth.ask('GET', path, { as: sure.tokens['access_token'] ?? '' })).status).toBe(200);
      // What is not demanded is not asked for, and a machine signs in nowhere.
      const clients = `/v1/tenants/${tenantId}/clients`;
      expect((await auth.ask('GET', clients, { as: plain.tokens['access_token'] ?? '' })).status).toBe(200);
      expect((await auth.ask('GET', path, { as })).status).toBe(200);
    });
  });

  test('is not gone around by a machine that a person makes: it is asked for nothing', async () => {
    await asAdministrators(async () => {
      const plain = await auth.signIn(application, { resource: auth.url });
      const sure = await withTotp({ resource: auth.url });
      const make = ({ tokens }: { tokens: Record<string, string> }) =>
        auth.ask('POST', `/v1/tenants/${tenantId}/applications`, {
          as: tokens['access_token'] ?? '',
          body: { name: 'Machine', kind: 'machine', areas: ['sign-in'] },
        });
      expect((await make(plain)).status).toBe(201);
      await setPolicy({ actions: [{ action: 'policies:write', level: 'mfa', maxAgeSeconds: null }] });
      expect(await make(plain)).toMatchObject({ status: 401, body: { code: 'insufficient_user_authentication' } });
      expect((await make(sure)).status).toBe(201);
    });
  });

  test('is changed by nobody who has reached less than it demands', async () => {
    await asAdministrators(async () => {
      const plain = await auth.signIn(application, { resource: auth.url });
      const path = `/v1/tenants/${tenantId}/step-up-policy`;
      const put = (token: string | undefined, body: object) =>
        auth.ask('PUT', path, { as: token ?? '', body: { ...noPolicy, ...body } });
      const surfaces = [{ surface: 'console', level: 'mfa', maxAgeSeconds: null }];
      expect((await put(plain.tokens['access_token'], { surfaces })).status).toBe(200);
      expect(await put(plain.tokens['access_token'], {})).toMatchObject({
        status: 401,
        body: { code: 'insufficient_user_authentication' },
      });
      const sure = await withTotp({ resource: auth.url });
      expect((await put(sure.tokens['access_token'], {})).status).toBe(200);
    });
  });
});

/** Whoever signs in administers the tenant. */
async function asAdministrators(act: () => Promise<void>): Promise<void> {
  auth.provisioning.answers(({ subject, email, displayName }) => ({
    userId: idsBySubject.get(subject) ?? remember(subject),
    email,
    displayName,
    roles: ['tenant_admin'],
    created: false,
  }));
  try {
    await act();
  } finally {
    auth.provisioning.answers(null);
  }
}

const idsBySubject = new Map<string, string>();
function remember(subject: string): string {
  const id = newId('user');
  idsBySubject.set(subject, id);
  return id;
}

describe('by API', () => {
  const own = '/v1/me/factors';
  const tokenOf = ({ tokens }: { tokens: Record<string, string> }) => tokens['access_token'] ?? '';

  test('a person enrols a TOTP, sees their factors, and removes one', async () => {
    const person = { as: tokenOf(await auth.signIn(application, { resource: auth.url })) };
    const begun = await auth.ask<{ id: string; secret: string; uri: string }>('POST', own, {
      ...person,
      body: { kind: 'totp', name: 'My telephone' },
    });
    expect([begun.status, begun.body.uri]).toEqual([201, expect.stringContaining(`secret=${begun.body.secret}`)]);
    expect((await auth.ask('GET', own, person)).body).toMatchObject({ items: [] });
    const confirm = `${own}/${begun.body.id}:confirm`;
    const wrong = await auth.ask('POST', confirm, { ...person, body: { code: '000000' } });
    expect(wrong).toMatchObject({ status: 422, body: { code: 'mfa_code_refused' } });
    const body = { code: codeOf(begun.body.secret) };
    const confirmed = await auth.ask<{ recoveryCodes: string[] }>('POST', confirm, { ...person, body });
    expect(confirmed).toMatchObject({ status: 200, body: { kind: 'totp', name: 'My telephone' } });
    expect(confirmed.body.recoveryCodes).toHaveLength(10);
    // From now on the token that knows of no factor neither adds nor removes one.
    for (const [method, path, sent] of [
      ['POST', own, { kind: 'recovery_codes' }],
      ['POST', own, { kind: 'totp' }],
      ['DELETE', `${own}/${begun.body.id}`, undefined],
      ['POST', `${own}/${begun.body.id}:confirm`, body],
    ] as const) {
      const refused = await auth.ask(method, path, { ...person, body: sent });
      expect(refused).toMatchObject({ status: 401, body: { code: 'insufficient_user_authentication' } });
      expect(refused.headers.get('www-authenticate')).toContain(`acr_values="${mfa}", max_age=900`);
    }
    expect((await auth.ask<{ items: object[] }>('GET', own, person)).body.items).toMatchObject([
      { kind: 'totp', name: 'My telephone', remaining: null },
      { kind: 'recovery_codes', remaining: 10 },
    ]);
  });

  test('the word of a provider that counts as a level is no factor that was shown', async () => {
    const { tokens } = await withTotp({ resource: auth.url });
    await setPolicy({ trusted: [{ connectionId: null, level: 'mfa', acr: [], amr: ['mfa'] }] });
    const { sub } = decodeJwt(tokens['id_token'] ?? '');
    auth.provisioning.answers(async () => ({
      userId: sub ?? '',
      email: null,
      displayName: null,
      roles: ['tenant_member'],
      created: false,
    }));
    auth.provider.is({ sub: newId('request'), amr: ['mfa'] });
    const byWord = await auth.signIn(application, { acr_values: mfa, resource: auth.url });
    auth.provisioning.answers(null);
    expect(byWord.claims['acr']).toBe(mfa);
    const body = { kind: 'recovery_codes' };
    expect((await auth.ask('POST', own, { as: tokenOf(byWord), body })).status).toBe(401);
    expect((await auth.ask('POST', own, { as: tokens['access_token'] ?? '', body })).status).toBe(201);
  });

  test('whoever has shown a factor gets new recovery codes, and the old ones are void', async () => {
    const one = await withTotp({ resource: auth.url });
    const made = await auth.ask<{ recoveryCodes: string[] }>('POST', own, {
      as: tokenOf(one),
      body: { kind: 'recovery_codes' },
    });
    expect([made.status, made.body.recoveryCodes.length]).toEqual([201, 10]);
    const { browser, page } = await elsewhere();
    const old = await answer(browser, page, { factor: 'recovery', code: one.recoveryCodes[0] ?? '' });
    expect(complaintOn(old)).not.toBeNull();
    const fresh = await answer(browser, page, { factor: 'recovery', code: made.body.recoveryCodes[0] ?? '' });
    expect(isBack(fresh)).toBe(true);
  });

  test('somebody’s own are nobody else’s', async () => {
    const ada = await withTotp({ resource: auth.url });
    auth.provider.is({ sub: 'grace' });
    const grace = await withTotp({ resource: auth.url });
    const { body } = await auth.ask<{ items: { id: string }[] }>('GET', own, { as: tokenOf(ada) });
    const path = `${own}/${body.items[0]?.id}`;
    expect((await auth.ask('DELETE', path, { as: tokenOf(grace) })).status).toBe(404);
    expect((await auth.ask('DELETE', path, { as: tokenOf(ada) })).status).toBe(204);
  });

  test('an administrator resets a person’s: what sessions reached by them lapses, and their secrets are destroyed', async () => {
    const { claims, tokens } = await withTotp({ resource: auth.url });
    const path = `/v1/tenants/${tenantId}/mfa-factors`;
    const listed = await auth.ask<{ items: { id: string; kind: string }[] }>('GET', `${path}?userId=${claims.sub}`, {
      as,
    });
    expect(listed.body.items.map(({ kind }) => kind)).toEqual(['totp', 'recovery_codes']);
    const other = await auth.newTenant();
    const elsewherePath = `/v1/tenants/${other.tenantId}/mfa-factors`;
    expect((await auth.ask('DELETE', `${elsewherePath}/${listed.body.items[0]?.id}`, { as })).status).toBe(404);
    expect(
      (await auth.ask<typeof listed.body>('GET', `${elsewherePath}?userId=${claims.sub}`, { as })).body.items,
    ).toEqual([]);
    const reset = await auth.ask<typeof listed.body>('POST', `${path}:reset`, { as, body: { userId: claims.sub } });
    expect([reset.status, reset.body.items.length]).toEqual([200, 2]);
    const refreshed = await auth.refresh(application, tokens['refresh_token'] ?? '');
    expect(decodeJwt(refreshed.body['access_token'] ?? '')['acr']).toBeUndefined();
    await eventually('the events', () => eventsOf('mfa_factor.removed').length === 2);
    await eventually('the end of the secret', () => eventsOf('secret.destroyed').length === 1);
    expect(eventsOf('mfa_factor.removed').map(({ data }) => data.reason?.code)).toEqual(
      Array(2).fill('removed_by_administrator'),
    );
    // The next sign-in sets up a new one.
    expect(textsIn((await elsewhere()).page, 'h1')[0]).toBe('Set up an authenticator application');
    expect((await auth.ask('DELETE', `${path}/${newId('factor')}`, { as })).status).toBe(404);
  });

  test('an administrator who has a factor shows it before they take one away, be it their own', async () => {
    await asAdministrators(async () => {
      const sure = await withTotp({ resource: auth.url });
      const plain = await auth.signIn(application, { resource: auth.url });
      const path = `/v1/tenants/${tenantId}/mfa-factors`;
      const reset = (token: string) =>
        auth.ask('POST', `${path}:reset`, { as: token, body: { userId: sure.claims.sub } });
      expect(await reset(tokenOf(plain))).toMatchObject({
        status: 401,
        body: { code: 'insufficient_user_authentication' },
      });
      const [factor] = (await auth.ask<{ items: { id: string }[] }>('GET', own, { as: tokenOf(sure) })).body.items;
      expect((await auth.ask('DELETE', `${path}/${factor?.id}`, { as: tokenOf(plain) })).status).toBe(401);
      expect((await reset(tokenOf(sure))).status).toBe(200);
    });
  });

  test('takes its secret with it, also where whoever removed it ended before that', async () => {
    const { claims, tokens } = await withTotp({ resource: auth.url });
    const { body } = await auth.ask<{ items: { id: string; kind: string }[] }>('GET', own, {
      as: tokens['access_token'] ?? '',
    });
    const id = body.items.find(({ kind }) => kind === 'totp')?.id as never;
    const details = { userId: claims.sub as never, kind: 'totp' };
    await auth.announce(tenantId, event('mfa_factor.removed', { id, because: 'removed_by_owner', details }));
    await events.seen(tenantId, 'secret.destroyed', id);
  });

  test('of somebody who is deleted nothing is left', async () => {
    const { claims } = await withTotp();
    const details = { email: null, source: 'admin' };
    await auth.announce(tenantId, event('user.deleted', { id: claims.sub as never, because: 'requested', details }));
    await eventually('the end', () => eventsOf('secret.destroyed').length === 1);
    const path = `/v1/tenants/${tenantId}/mfa-factors?userId=${claims.sub}`;
    expect((await auth.ask<{ items: object[] }>('GET', path, { as })).body.items).toEqual([]);
  });
});

describe('an identity provider that says one of our levels', () => {
  test.each([` ${mfa}`, mfa.toUpperCase(), `${resistant}\n`])('has said nothing by %j either', async acr => {
    auth.provider.is({ sub: newId('request'), acr });
    expect((await auth.signIn(application)).claims['acr']).toBeUndefined();
  });

  test('has said nothing, where no rule of the tenant counts it: the person is asked for a factor all the same', async () => {
    auth.provider.is({ sub: newId('request'), email: 'ada@acme.example', acr: resistant });
    const { claims, browser } = await auth.signIn(application);
    expect(claims['acr']).toBeUndefined();
    const { code } = await auth.authorize(application, { browser, acr_values: resistant, prompt: 'none' });
    expect(code).toBeNull();
    // What is its own is told as ever.
    auth.provider.is({ sub: newId('request'), email: 'eve@acme.example', acr: 'theirs' });
    expect((await auth.signIn(application)).claims['acr']).toBe('theirs');
  });
});

describe('a factor that is taken away while its owner is on the way', () => {
  test('counts for nothing at the page after it; one that stays does', async () => {
    const on = async (reset: boolean) => {
      auth.provider.is({ sub: newId('request'), email: 'ada@acme.example' });
      const before = eventsOf('mfa_factor.enrolled').length;
      const { browser, page } = await enrolledAtSignIn();
      await eventually('the factor', () => eventsOf('mfa_factor.enrolled').length > before);
      const userId = eventsOf('mfa_factor.enrolled').at(-1)?.data.details['userId'];
      const path = `/v1/tenants/${tenantId}/mfa-factors:reset`;
      if (reset) expect((await auth.ask('POST', path, { as, body: { userId } })).status).toBe(200);
      return isBack(await answer(browser, page, { factor: 'done' }));
    };
    expect([await on(false), await on(true)]).toEqual([true, false]);
  });
});
