// The pages on which people see and end their sessions, and administrators those of their tenant: by browser, as they
// stand, and by whoever has no business there.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newId, type TenantId } from '@reeve/contracts';
import { type Browser, createBrowser, type Page, textsIn } from '@reeve/testing';
import { Secret, TOTP } from 'otpauth';
import { type Application, type Auth, startAuth } from '../auth.test-support.ts';

let auth: Auth;
let tenant: { tenantId: TenantId; slug: string };
let application: Application;

beforeAll(async () => {
  auth = await startAuth();
  tenant = await auth.newTenant();
  await auth.newConnection(tenant.tenantId);
  application = await auth.newApplication(tenant.tenantId);
}, 60_000);
afterAll(() => auth.stop());
beforeEach(() => {
  auth.provisioning.answers(null);
  auth.provider.is({ sub: newId('request'), email: 'ada@acme.example' });
});

const account = () => `${auth.url}/account`;
const administration = () => `${auth.url}/admin/sessions`;
const signIn = (browser: Browser = createBrowser(), of: Application = application) => auth.signIn(of, { browser });
const isLive = async ({ tokens }: { tokens: Record<string, string> }) =>
  (await auth.refresh(application, tokens['refresh_token'] ?? '')).status === 200;
const csrfIn = ({ text }: Page) => /name="csrf" value="([^"]+)"/.exec(text)?.[1] ?? '';
const endsIn = ({ text }: Page) => [...text.matchAll(/name="end" value="([^"]+)"/g)].map(match => match[1]);
const problemOf = ({ status, text }: Page) => [status, /class="muted">(\w+)/.exec(text)?.[1]];

/** As the form with that button on the page, or with another value or page's secret. */
const press = (browser: Browser, page: Page, end: string, csrf = csrfIn(page)) =>
  browser.submit({ ...page, text: `<form method="post" action="${page.url.pathname}"></form>` }, { csrf, end });

/** The form of a step of a sign-in. */
const submit = (browser: Browser, page: Page, fields: Record<string, string>) => {
  const [action] = /\/interaction\/[^"]+/.exec(page.text) ?? [''];
  return browser.submit({ ...page, text: `<form method="post" action="${action}"></form>` }, fields);
};

/** Whoever signs in next is an administrator. */
function nextIsAdministrator(): void {
  auth.provisioning.answers(({ subject, email, displayName }) => ({
    userId: userOf(subject),
    email,
    displayName,
    roles: ['tenant_admin'],
    created: false,
  }));
}
const users = new Map<string, string>();
function userOf(subject: string): string {
  const known = users.get(subject) ?? newId('user');
  users.set(subject, known);
  return known;
}

describe('the account page', () => {
  test('shows each live session, and which is that of this browser', async () => {
    const one = await signIn();
    const other = await signIn();
    expect(other.claims.sub).toBe(one.claims.sub);
    const page = await one.browser.open(account());
    expect(page.status).toBe(200);
    expect(textsIn(page, 'li')).toHaveLength(2);
    expect(endsIn(page)).toEqual([other.claims['sid'], one.claims['sid'], 'others', 'all']);
    const here = textsIn(page, 'li').map(text => text.includes('This browser'));
    expect(here).toEqual([false, true]);
    expect(page.text).toContain('signed in by An identity provider');
    expect(page.text).not.toContain('<script');
    expect(page.headers.get('cache-control')).toContain('no-store');
  });

  test('has somebody who is not signed in sign in, and comes back', async () => {
    const browser = createBrowser();
    const asked = await browser.open(account());
    expect(asked.text).toContain('name="email"');
    const shown = await browser.submit(
      { ...asked, text: `<form method="post" action="${asked.url.pathname}"></form>` },
      { tenant: tenant.slug },
    );
    expect([shown.url.href, shown.status]).toEqual([account(), 200]);
    expect(textsIn(shown, 'li')).toHaveLength(1);
  });

  test('ends one session, with its tokens, and leaves the others', async () => {
    const [one, other] = [await signIn(), await signIn()];
    const page = await one.browser.open(account());
    const after = await press(one.browser, page, String(other.claims['sid']));
    expect([after.status, endsIn(after)]).toEqual([200, [one.claims['sid'], 'all']]);
    expect([await isLive(one), await isLive(other)]).toEqual([true, false]);
    // Twice is as once.
    expect((await press(one.browser, after, String(other.claims['sid']))).status).toBe(200);
  });

  test('ends all others, and all', async () => {
    const [one, second, third] = [await signIn(), await signIn(), await signIn()];
    await press(one.browser, await one.browser.open(account()), 'others');
    expect([await isLive(one), await isLive(second), await isLive(third)]).toEqual([true, false, false]);
    const fourth = await signIn();
    const left = await press(one.browser, await one.browser.open(account()), 'all');
    expect(left.text).toContain('name="email"');
    expect([await isLive(one), await isLive(fourth)]).toEqual([false, false]);
    expect(await one.browser.jar.getCookieString(`${auth.url}/`)).not.toContain('reeve_session');
  });

  test('ends nothing for whoever has no form of this session, and does for whoever has', async () => {
    const [ada, other] = [await signIn(), await signIn()];
    auth.provider.is({ sub: newId('request') });
    const eve = await signIn();
    const [ofAda, ofEve] = [await ada.browser.open(account()), await eve.browser.open(account())];
    const sid = String(other.claims['sid']);
    for (const csrf of ['', 'x', csrfIn(ofEve)])
      expect(problemOf(await press(ada.browser, ofAda, sid, csrf))).toEqual([403, 'csrf_mismatch']);
    expect(await isLive(other)).toBe(true);
    await press(ada.browser, ofAda, sid);
    expect(await isLive(other)).toBe(false);
  });

  test('ends nobody else’s session', async () => {
    const ada = await signIn();
    auth.provider.is({ sub: newId('request') });
    const eve = await signIn();
    const page = await eve.browser.open(account());
    expect(endsIn(page)).not.toContain(ada.claims['sid']);
    expect(problemOf(await press(eve.browser, page, String(ada.claims['sid'])))).toEqual([404, 'not_found']);
    expect(problemOf(await press(eve.browser, page, String(ada.claims.sub)))).toEqual([400, 'input_invalid']);
    expect(await isLive(ada)).toBe(true);
  });

  test('is closed to a session that has ended, and to a form that was open then', async () => {
    const [one, other] = [await signIn(), await signIn()];
    const page = await one.browser.open(account());
    const as = await auth.asPlatform();
    await auth.ask('POST', `/v1/tenants/${tenant.tenantId}/sessions/${one.claims['sid']}:terminate`, { as });
    expect(problemOf(await press(one.browser, page, String(other.claims['sid'])))).toEqual([403, 'csrf_mismatch']);
    expect(await isLive(other)).toBe(true);
    expect((await one.browser.open(account())).text).toContain('name="email"');
  });

  test('has somebody show more of who they are, where their tenant demands it for what they do', async () => {
    const { tenantId } = await auth.newTenant();
    await auth.newConnection(tenantId);
    const own = await auth.newApplication(tenantId);
    const demands = async (action: string) => {
      const body = {
        everywhere: null,
        surfaces: [],
        actions: [{ action, level: 'mfa', maxAgeSeconds: 600 }],
        trusted: [],
      };
      const as = await auth.asPlatform();
      expect((await auth.ask('PUT', `/v1/tenants/${tenantId}/step-up-policy`, { as, body })).status).toBe(200);
    };
    await demands('sessions:write');
    const ada = await signIn(createBrowser(), own);
    const page = await ada.browser.open(account());
    expect(endsIn(page)).toContain(ada.claims['sid']);
    const next = await press(ada.browser, page, 'all');
    expect(textsIn(next, 'h1')[0]).toBe('Set up an authenticator application');
    expect((await auth.refresh(own, ada.tokens['refresh_token'] ?? '')).status).toBe(200);
    await demands('sessions:read');
    const grace = await signIn(createBrowser(), own);
    const setUp = await grace.browser.open(account());
    const secret = Secret.fromBase32((textsIn(setUp, 'code')[0] ?? '').replaceAll(' ', ''));
    const codes = await submit(grace.browser, setUp, { factor: 'confirm-totp', code: new TOTP({ secret }).generate() });
    const seen = await submit(grace.browser, codes, { factor: 'done' });
    expect([seen.url.pathname, endsIn(seen).includes(String(grace.claims['sid']))]).toEqual(['/account', true]);
  });

  test('sends whoever was refused at the provider to an end, and not in a circle, and nobody elsewhere', async () => {
    const browser = createBrowser();
    const refused = await browser.open(`${auth.url}/account/signed-in?error=access_denied&state=account`);
    expect(problemOf(refused)).toEqual([400, 'sign_in_failed']);
    for (const state of ['https://evil.example', '//evil.example', 'constructor', ''])
      expect(
        (
          await fetch(`${auth.url}/account/signed-in?${new URLSearchParams({ state })}`, { redirect: 'manual' })
        ).headers.get('location'),
      ).toBe('/account');
  });

  test('gives nobody tokens: its code is bound to what nobody has', async () => {
    const browser = createBrowser();
    const { tokens } = await signIn(browser);
    expect(tokens['access_token']).toBeDefined();
    const { code, verifier } = await auth.authorize(
      { id: 'reeve-account' as never, secret: '' },
      {
        browser,
        redirect_uri: `${auth.url}/account/signed-in`,
        stopAt: `${auth.url}/account/signed-in`,
        scope: 'openid',
      },
    );
    const { body } = await auth.token(
      { id: 'reeve-account' as never, secret: '' },
      {
        grant_type: 'authorization_code',
        code: code ?? '',
        redirect_uri: `${auth.url}/account/signed-in`,
        code_verifier: verifier,
      },
    );
    // Whoever begins it at their own browser gets what says who they are, and nothing that reaches further.
    expect(body['refresh_token']).toBeUndefined();
    const own = await auth.ask('GET', '/v1/me/sessions', { as: body['access_token'] ?? '' });
    expect(own.status).toBe(401);
  });
});

describe('the page of an administrator', () => {
  async function administrator() {
    auth.provider.is({ sub: newId('request'), email: 'root@acme.example' });
    nextIsAdministrator();
    const signedIn = await signIn();
    auth.provisioning.answers(null);
    auth.provider.is({ sub: newId('request'), email: 'ada@acme.example' });
    return signedIn;
  }

  test('shows the tenant’s sessions, those of one person, and ends one and all', async () => {
    const admin = await administrator();
    const [one, other, third] = [await signIn(), await signIn(), await signIn()];
    const all = await admin.browser.open(administration());
    expect(endsIn(all)).toEqual(expect.arrayContaining([one.claims['sid'], other.claims['sid'], admin.claims['sid']]));
    await press(admin.browser, all, String(one.claims['sid']));
    expect([await isLive(one), await isLive(other)]).toEqual([false, true]);
    const ofOne = await admin.browser.open(`${administration()}?user=${one.claims.sub}`);
    expect(endsIn(ofOne)).toEqual([third.claims['sid'], other.claims['sid'], one.claims.sub]);
    await press(admin.browser, ofOne, String(one.claims.sub));
    expect([await isLive(other), await isLive(third), await isLive(admin)]).toEqual([false, false, true]);
  });

  test('is for administrators alone, as they are now', async () => {
    const member = await signIn();
    expect(problemOf(await member.browser.open(administration()))).toEqual([403, 'access_denied']);
    const admin = await administrator();
    const page = await admin.browser.open(administration());
    expect(page.status).toBe(200);
    // What the member copies of it is of no use to them.
    expect((await press(member.browser, page, String(admin.claims['sid']))).status).toBe(403);
    expect(await isLive(admin)).toBe(true);
  });

  test('shows and ends nothing of another tenant', async () => {
    const ada = await signIn();
    const other = await auth.newTenant();
    await auth.newConnection(other.tenantId);
    const elsewhere = await auth.newApplication(other.tenantId);
    auth.provider.is({ sub: newId('request') });
    nextIsAdministrator();
    const admin = await signIn(createBrowser(), elsewhere);
    const page = await admin.browser.open(`${administration()}?user=${ada.claims.sub}`);
    expect(endsIn(page)).toEqual([ada.claims.sub]);
    expect(problemOf(await press(admin.browser, page, String(ada.claims['sid'])))).toEqual([404, 'not_found']);
    await press(admin.browser, page, String(ada.claims.sub));
    expect(await isLive(ada)).toBe(true);
  });
});
