// Somebody who is signed in links another way of signing in; and who could have them do it.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Id, LinkIdentityRequest, TenantId } from '@reeve/contracts';
import { type Browser, createBrowser, formOf, type Page } from '@reeve/testing';
import { type Application, type Auth, callback, startAuth } from '../auth.test-support.ts';

let auth: Auth;
let tenantId: TenantId;
let usual: Id<'connection'>;
let other: Id<'connection'>;
let application: Application;

beforeAll(async () => {
  auth = await startAuth();
  ({ tenantId } = await auth.newTenant());
  usual = await auth.newConnection(tenantId, { name: 'Usual' });
  other = await auth.newConnection(tenantId, { name: 'The <other> one' });
  application = await auth.newApplication(tenantId);
}, 60_000);
afterAll(() => auth.stop());
beforeEach(() => auth.provisioning.answers(null));

/** What provisioning was told to link, of which it hears by the user in it. */
const linked = () =>
  (auth.provisioning.asked as unknown as LinkIdentityRequest[]).filter(request => request.userId !== undefined);
const comesAs = (sub: string) => auth.provider.is({ sub, email: `${sub}@acme.example`, email_verified: true });

async function signedIn(sub = 'ada') {
  comesAs(sub);
  return auth.signIn(application, { connection: usual });
}
/** To the page that asks, at which nothing has happened yet. */
async function askedToLink(browser: Browser, parameters: Record<string, string> = {}) {
  comesAs('ada-elsewhere');
  return auth.authorize(application, { browser, connection: other, link: 'true', ...parameters });
}
const answer = (browser: Browser, page: Page, link: string) =>
  browser.submit(formOf(page, page.url.pathname.split('/')[2] ?? '') ?? page, { link }, callback);

describe('a person who is signed in', () => {
  test('is asked, names both, and links it by saying yes', async () => {
    const { browser, claims } = await signedIn();
    const before = linked().length;
    const { page } = await askedToLink(browser);
    expect(page.status).toBe(200);
    for (const text of ['ada@acme.example', 'The &lt;other&gt; one', 'ada-elsewhere@acme.example'])
      expect(page.text).toContain(text);
    expect(linked()).toHaveLength(before);
    // As provisioning answers once it is linked.
    auth.provisioning.answers(({ subject, email, displayName }) => ({
      userId: subject === 'ada-elsewhere' ? claims.sub : 'usr_00000000-0000-7000-8000-000000000000',
      email,
      displayName,
      roles: ['tenant_member'],
      created: false,
    }));
    const end = await answer(browser, page, 'yes');
    expect(end.url.searchParams.get('code')).not.toBeNull();
    expect(linked().at(-1)).toMatchObject({
      tenantId,
      connectionId: other,
      subject: 'ada-elsewhere',
      userId: claims.sub,
    });
    expect(linked()).toHaveLength(before + 1);
  });

  test('links nothing by saying no, and goes back to the application, which is told', async () => {
    const { browser } = await signedIn();
    const before = linked().length;
    const { page } = await askedToLink(browser);
    const declined = await answer(browser, page, 'no');
    expect([declined.status, declined.text.includes('link_declined')]).toEqual([403, true]);
    const left = await browser.open(`${declined.url.origin}${declined.url.pathname}/leave`, callback);
    expect(left.url.searchParams.get('error_description')).toBe('link_declined');
    expect(linked()).toHaveLength(before);
  });

  test('is one who has just come here, however long ago they signed in at their provider', async () => {
    const authTime = Math.floor(Date.now() / 1_000) - 7_200;
    auth.provider.is({ sub: 'ada', email: 'ada@acme.example', email_verified: true, auth_time: authTime });
    const { browser } = await auth.signIn(application, { connection: usual });
    const { page } = await askedToLink(browser);
    expect([page.status, page.text.includes('ada-elsewhere@acme.example')]).toEqual([200, true]);
  });

  test('signs in anew by the other one: who is still signed in there may be somebody else', async () => {
    const { browser } = await signedIn();
    const authTime = Math.floor(Date.now() / 1_000) - 7_200;
    auth.provider.is({ sub: 'ada-elsewhere', email: 'x@acme.example', email_verified: true, auth_time: authTime });
    const { page } = await auth.authorize(application, { browser, connection: other, link: 'true' });
    expect([page.status, page.text.includes('sign_in_failed')]).toEqual([400, true]);
  });

  test('has to sign in by the other one, whoever is signed in there', async () => {
    const { browser } = await signedIn();
    await askedToLink(browser);
    expect(auth.provider.asked.at(-1)?.get('prompt')).toBe('login');
  });

  test('is told where it is somebody else’s', async () => {
    const { browser } = await signedIn();
    const { page } = await askedToLink(browser);
    auth.provisioning.answers(() => 'identity_taken');
    const end = await answer(browser, page, 'yes');
    expect([end.status, end.text.includes('identity_taken')]).toEqual([409, true]);
  });
});

describe('nothing is linked', () => {
  let before: number;
  beforeEach(() => {
    before = linked().length;
  });
  const refused = (page: Page) => {
    expect([page.status, page.text.includes('link_needs_sign_in')]).toEqual([403, true]);
    expect(linked()).toHaveLength(before);
  };

  test('to nobody: at a browser that nobody is signed in at', async () => {
    refused((await askedToLink(createBrowser())).page);
  });

  test('to somebody of another tenant', async () => {
    const elsewhere = await auth.newTenant();
    await auth.newConnection(elsewhere.tenantId);
    const theirs = await auth.newApplication(elsewhere.tenantId);
    comesAs('eve');
    const { browser } = await auth.signIn(theirs);
    refused((await askedToLink(browser)).page);
  });

  test('to somebody whose session ended while they were asked', async () => {
    const { browser, claims } = await signedIn();
    const { page } = await askedToLink(browser);
    const as = await auth.asPlatform();
    await auth.ask('POST', `/v1/tenants/${tenantId}/sessions/${String(claims['sid'])}:terminate`, { as });
    refused(await answer(browser, page, 'yes'));
  });

  test('to another person than the one that was asked', async () => {
    const { browser } = await signedIn('ada');
    const { page } = await askedToLink(browser);
    // In another tab somebody else signs in, and the old page is answered.
    comesAs('bob');
    await auth.signIn(application, { browser, connection: usual, prompt: 'login' });
    const end = await answer(browser, page, 'yes');
    expect([end.status, end.text.includes('sign_in_expired')]).toEqual([400, true]);
    expect(linked()).toHaveLength(before);
  });

  test('by an answer that comes without the page, or from another browser', async () => {
    const { browser } = await signedIn();
    const left = await auth.authorize(application, {
      browser,
      connection: other,
      link: 'true',
      stopAt: `${auth.provider.issuer}/authorize`,
    });
    const uid = /^[\w-]+/.exec(new URL(left.page.url).searchParams.get('state') ?? '')?.[0] ?? '';
    const forged = await fetch(`${auth.url}/interaction/${uid}`, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams({ link: 'yes' }),
    });
    expect(forged.status).toBe(400);
    comesAs('ada-elsewhere');
    const { page } = await askedToLink(browser);
    const foreign = await createBrowser().submit(page, { link: 'yes' }, callback);
    expect([foreign.status, foreign.text.includes('sign_in_expired')]).toEqual([400, true]);
    expect(linked()).toHaveLength(before);
  });

  test('by anything but yes', async () => {
    const { browser } = await signedIn();
    for (const said of ['', 'true', 'YES', 'yes '])
      expect([said, (await answer(browser, (await askedToLink(browser)).page, said)).status]).toEqual([said, 403]);
    expect(linked()).toHaveLength(before);
  });

  test.each(['false', '1', 'yes', ''])('where link=%s is asked for: it is a sign-in as any', async link => {
    const { browser } = await signedIn();
    const { code } = await auth.authorize(application, {
      browser,
      connection: other,
      ...(link === '' ? {} : { link }),
    });
    expect(code).not.toBeNull();
    expect(linked()).toHaveLength(before);
  });
});
