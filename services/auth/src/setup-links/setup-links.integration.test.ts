// A customer's admin with nothing but a link, from the choice of a vendor to the first sign-in; and what somebody else
// could do with it.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Id, newId, type TenantId } from '@reeve/contracts';
import {
  type Browser,
  createBrowser,
  type EventReader,
  eventually,
  formOf,
  type Page,
  readEvents,
  textsIn,
} from '@reeve/testing';
import { type SamlIdentityProvider, startSamlIdentityProvider } from '@reeve/testing/saml';
import { type Auth, startAuth } from '../auth.test-support.ts';

type Link = {
  id: string;
  url: string;
  connectionId: Id<'connection'>;
  usedAt: string | null;
  revokedAt: string | null;
};

let idp: SamlIdentityProvider;
let elsewhere: SamlIdentityProvider;
let auth: Auth;
let events: EventReader;
let tenantId: TenantId;

beforeAll(async () => {
  [idp, elsewhere] = [await startSamlIdentityProvider(), await startSamlIdentityProvider()];
  // Nothing is sent here: what ends does not end soon.
  auth = await startAuth({
    REEVE_ALLOWED_PRIVATE_ORIGINS: `${idp.url},${elsewhere.url}`,
    REEVE_SMTP_URL: 'smtp://127.0.0.1:9',
  });
  events = await readEvents('reeve.auth.v1');
  ({ tenantId } = await auth.newTenant());
}, 60_000);
afterAll(async () => {
  await events.stop();
  await auth.stop();
  await Promise.all([idp.stop(), elsewhere.stop()]);
});
beforeEach(() => {
  auth.provider.is({ sub: 'ada', email: 'ada@acme.example', email_verified: true, name: 'Ada' });
  idp.is({ nameId: 'ada', attributes: { email: 'ada@acme.example' } });
  idp.signs({ response: true, assertion: true });
  idp.bends({});
});

const ask = async <T = Link>(method: string, path: string, body?: object, of = tenantId) =>
  auth.ask<T>(method, `/v1/tenants/${of}${path}`, { as: await auth.asPlatform(), ...(body ? { body } : {}) });
const newLink = async (more: object = {}, of = tenantId) =>
  (await ask('POST', '/setup-links', { name: 'Grace of Acme', ...more }, of)).body;
const connectionOf = async ({ connectionId }: Link, of = tenantId) =>
  (await ask<Record<string, unknown>>('GET', `/sso-connections/${connectionId}`, undefined, of)).body;

async function send(browser: Browser, page: Page, name: string, fields: Record<string, string> = {}): Promise<Page> {
  const form = formOf(page, `/${name}`);
  if (!form) throw new Error(`there is no form for ${name}: ${page.status} ${page.text.slice(-600)}`);
  return browser.submit(form, fields);
}
const checksIn = (page: Page): Record<string, string> =>
  Object.fromEntries(textsIn(page, '.checks li').map(text => text.split(': ') as [string, string]));
const messagesIn = (page: Page): string => textsIn(page, '#complaint').join('');

/** A link whose holder has got as far as the test. */
async function readyToTest(guide: 'okta-oidc' | 'generic-saml') {
  const link = await newLink();
  const browser = createBrowser();
  const chosen = await send(browser, await browser.open(link.url), 'guide', { guide });
  const settings =
    guide === 'okta-oidc'
      ? { issuer: auth.provider.issuer, clientId: 'reeve', clientSecret: 'a secret' }
      : { metadataUrl: idp.metadataUrl };
  return { link, browser, page: await send(browser, chosen, 'settings', settings) };
}

describe('a set-up link', () => {
  test('is shown once, and neither it nor its hash ever again', async () => {
    const { status, body } = await ask('POST', '/setup-links', { name: 'Grace', expiresInHours: 2 });
    expect([status, body.url.startsWith(`${auth.url}/setup/`)]).toEqual([201, true]);
    const { body: list } = await ask<{ items: Link[] }>('GET', '/setup-links');
    const { body: read } = await ask('GET', `/setup-links/${body.id}`);
    expect(list.items.find(({ id }) => id === body.id)).toEqual(read);
    expect(Object.keys(read).toSorted()).toEqual([
      'changesInUse',
      'connectionId',
      'createdAt',
      'createdBy',
      'expiresAt',
      'id',
      'name',
      'revokedAt',
      'usedAt',
    ]);
  });

  test('is for a connection of its tenant, or for a new one', async () => {
    const other = await auth.newTenant();
    const foreign = await auth.newConnection(other.tenantId);
    expect((await ask('POST', '/setup-links', { name: 'x', connectionId: foreign })).status).toBe(404);
    expect((await ask('POST', '/setup-links', { name: 'x', connectionId: 'con_x' })).status).toBe(404);
    const own = await auth.newConnection(tenantId);
    expect((await newLink({ connectionId: own })).connectionId).toBe(own);
  });

  test('sets up OpenID Connect from the first page to the first sign-in, and everything is on the record', async () => {
    const tenant = await auth.newTenant();
    const link = await newLink({}, tenant.tenantId);
    const browser = createBrowser();
    const first = await browser.open(link.url);
    expect([first.status, first.text.includes('Okta (SAML)'), first.text.includes('Okta (OpenID Connect)')]).toEqual([
      200,
      true,
      true,
    ]);
    expect((await ask('GET', `/setup-links/${link.id}`, undefined, tenant.tenantId)).body.usedAt).toBeNull();
    const chosen = await send(browser, first, 'guide', { guide: 'okta-oidc' });
    expect(chosen.text).toContain(`value="${auth.url}/oidc/${link.connectionId}/callback"`);
    expect([formOf(chosen, '/test'), formOf(chosen, '/activate')]).toEqual([null, null]);
    const settings = { issuer: auth.provider.issuer, clientId: 'reeve', clientSecret: 'a secret' };
    const saved = await send(browser, chosen, 'settings', settings);
    expect([formOf(saved, '/activate'), saved.text.includes('a secret')]).toEqual([null, false]);
    expect(await connectionOf(link, tenant.tenantId)).toMatchObject({ status: 'draft', name: 'Okta' });
    const tested = await send(browser, saved, 'test');
    expect(tested.url.href).toBe(`${link.url}#test`);
    expect(new Set(Object.values(checksIn(tested)))).toEqual(new Set(['holds']));
    expect(tested.text).toContain('ada@acme.example');
    await send(browser, tested, 'activate');
    expect(await connectionOf(link, tenant.tenantId)).toMatchObject({ status: 'active' });
    const application = await auth.newApplication(tenant.tenantId);
    expect((await auth.signIn(application)).claims['email']).toBe('ada@acme.example');

    const created = await events.seen(tenant.tenantId, 'connection.created', link.connectionId);
    expect(created.data.actor).toMatchObject({ type: 'client', id: link.id, name: 'Grace of Acme' });
    await events.seen(tenant.tenantId, 'connection.activated', link.connectionId);
    expect(
      events
        .of(tenant.tenantId)
        .filter(({ data }) => data.actor.id === link.id)
        .map(({ type }) => type),
    ).toEqual(['setup_link.used', 'connection.created', 'connection.tested', 'connection.activated']);
  });

  test('sets up SAML, whose provider wants to know of us first', async () => {
    const { link, browser, page } = await readyToTest('generic-saml');
    const connection = (await connectionOf(link)) as { saml: { spEntityId: string; spCertificates: string[] } };
    for (const ours of [connection.saml.spEntityId, `${auth.url}/saml/${link.connectionId}/acs`])
      expect(page.text).toContain(`value="${ours}"`);
    const tested = await send(browser, page, 'test');
    expect(new Set(Object.values(checksIn(tested)))).toEqual(new Set(['holds']));
    const done = await send(browser, tested, 'activate');
    expect(done.text).toContain('It is active');
  });

  test('begins anew with another protocol while nobody signs in by it, and with the same connection', async () => {
    const { link, browser, page } = await readyToTest('generic-saml');
    const again = await send(browser, page, 'guide', { guide: 'okta-oidc' });
    expect(again.text).toContain(`/oidc/${link.connectionId}/callback`);
    expect([formOf(again, '/test'), formOf(again, '/mapping'), formOf(again, '/rollback')]).toEqual([null, null, null]);
    const settings = { issuer: auth.provider.issuer, clientId: 'reeve', clientSecret: 'the secret' };
    const saved = await send(browser, again, 'settings', settings);
    expect(await connectionOf(link)).toMatchObject({ kind: 'oidc', status: 'draft', name: 'Okta' });
    expect((await send(browser, saved, 'test')).text).toContain('passed');
    // Settings of the other protocol do not come back.
    expect(formOf(saved, '/rollback')).toBeNull();
    expect(
      (await fetch(`${link.url}/rollback`, { method: 'POST', body: new URLSearchParams({ revision: '1' }) })).status,
    ).toBe(400);
    const back = await send(browser, await browser.open(link.url), 'guide', { guide: 'generic-saml' });
    expect(formOf(back, '/activate')).toBeNull();
    expect(await connectionOf(link)).toMatchObject({ kind: 'saml', status: 'draft' });
    expect((await ask('GET', `/sso-connections/${link.connectionId}/revisions`)).status).toBe(200);
  });

  test('changes nothing that people sign in by, unless it was made for that', async () => {
    const saml = { metadataXml: await (await fetch(idp.metadataUrl)).text() };
    const connectionId = await auth.newConnection(tenantId, { kind: 'saml', oidc: undefined, saml });
    await ask('PATCH', `/sso-connections/${connectionId}`, { name: 'Ours' });
    const forms = ['settings', 'mapping', 'rollback'];
    // The same name, and keys of somebody else's.
    const foreign = (await (await fetch(elsewhere.metadataUrl)).text()).replaceAll(elsewhere.url, idp.url);
    const fields = { metadataXml: foreign, email: 'mail', revision: '1' };
    const tried = async (link: Link) => {
      const page = await createBrowser().open(link.url);
      const before = await connectionOf(link);
      const answers = [];
      for (const form of forms) {
        const init = { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' } as const;
        const answer = await fetch(`${link.url}/${form}`, init);
        const isChanged = JSON.stringify(await connectionOf(link)) !== JSON.stringify(before);
        answers.push([form, formOf(page, `/${form}`) !== null, answer.status, isChanged]);
      }
      return { page, answers };
    };
    const usual = await tried(await newLink({ connectionId }));
    expect(usual.answers).toEqual(forms.map(form => [form, false, 400, false]));
    expect(usual.page.text).toContain('does not change how people sign in any more');
    expect(usual.page.text).not.toContain('Nobody is affected');
    // Who is told of what ends is nothing that a sign-in rests on.
    const link = await newLink({ connectionId });
    const browser = createBrowser();
    await send(browser, await browser.open(link.url), 'contacts', { contacts: 'it@acme.example' });
    expect((await connectionOf(link))['contacts']).toEqual(['it@acme.example']);

    const meant = await tried(await newLink({ connectionId, changesInUse: true }));
    expect(meant.answers).toEqual(forms.map(form => [form, true, 303, true]));
    expect(meant.page.text).toContain('Changes take effect at once');
  });

  test('changes nothing any more once what it has set up is in use', async () => {
    const { link, browser, page } = await readyToTest('okta-oidc');
    const tested = await send(browser, page, 'test');
    const active = await send(browser, tested, 'activate');
    expect([formOf(active, '/settings'), formOf(active, '/test') !== null]).toEqual([null, true]);
    const before = await connectionOf(link);
    const settings = { issuer: auth.provider.issuer, clientId: 'reeve', clientSecret: 'another' };
    const refused = await send(browser, page, 'settings', settings);
    expect([refused.status, messagesIn(refused)]).toEqual([400, expect.stringContaining('People sign in by this')]);
    expect(await connectionOf(link)).toEqual(before);
  });

  test('goes on with a connection that is there, keeps its protocol, and takes its settings back', async () => {
    const connectionId = await auth.newConnection(tenantId, { name: 'Ours' });
    const link = await newLink({ connectionId, changesInUse: true });
    const browser = createBrowser();
    const page = await browser.open(link.url);
    expect(formOf(page, '/guide')?.text).not.toContain('SAML');
    const refused = await browser.submit(formOf(page, '/guide') as Page, { guide: 'okta-saml' });
    expect([refused.status, messagesIn(refused)]).toEqual([400, expect.stringContaining('another protocol')]);
    const mapped = await send(browser, page, 'mapping', {
      email: 'mail',
      displayName: '',
      identifierType: 'employee_id',
      identifierAttribute: 'employee',
    });
    expect(await connectionOf(link)).toMatchObject({
      attributes: { email: 'mail' },
      identifier: { type: 'employee_id', attribute: 'employee' },
    });
    await send(browser, mapped, 'rollback', { revision: '1' });
    expect(await connectionOf(link)).toMatchObject({ attributes: {}, identifier: null, revision: 3 });
  });

  test('brings back neither domains nor trust that an administrator has taken away', async () => {
    const domains = ['withdrawn.example'];
    const connectionId = await auth.newConnection(tenantId, { domains, trustEmail: true });
    const jit = { enabled: true, defaultRoles: ['tenant_member'] };
    await ask('PATCH', `/sso-connections/${connectionId}`, { domains: [], trustEmail: false, jit });
    const link = await newLink({ connectionId, changesInUse: true });
    const browser = createBrowser();
    await send(browser, await browser.open(link.url), 'rollback', { revision: '1' });
    expect(await connectionOf(link)).toMatchObject({ domains: [], trustEmail: false });
    // An administrator may.
    await ask('POST', `/sso-connections/${connectionId}:rollback`, { revision: 1 });
    expect(await connectionOf(link)).toMatchObject({ domains, trustEmail: true });
  });

  test('has nobody believed in what names people to all connections, but for what an administrator has said', async () => {
    const identifier = { type: 'employee_id', attribute: 'n', normalize: [], acrossConnections: true };
    const connectionId = await auth.newConnection(tenantId, { identifier });
    const link = await newLink({ connectionId, changesInUse: true });
    const browser = createBrowser();
    const page = await browser.open(link.url);
    const mapped = (identifierAttribute: string) => ({
      email: '',
      displayName: '',
      identifierType: 'employee_id',
      identifierAttribute,
    });
    await send(browser, page, 'mapping', mapped('n'));
    expect((await connectionOf(link))['identifier']).toEqual(identifier);
    await send(browser, page, 'mapping', mapped('other'));
    const { acrossConnections: _, ...only } = identifier;
    expect((await connectionOf(link))['identifier']).toEqual({ ...only, attribute: 'other' });
    // Nor does it come back with former settings.
    await send(browser, await browser.open(link.url), 'rollback', { revision: '1' });
    expect((await connectionOf(link))['identifier']).toEqual(only);
    await ask('PATCH', `/sso-connections/${connectionId}`, { identifier });
    expect((await connectionOf(link))['identifier']).toEqual(identifier);
  });

  test('has a provider of the same name with other keys not believed in it either', async () => {
    const identifier = { type: 'employee_id', attribute: 'n', normalize: [], acrossConnections: true };
    const saml = { metadataXml: await (await fetch(idp.metadataUrl)).text() };
    const connectionId = await auth.newConnection(tenantId, { kind: 'saml', oidc: undefined, saml, identifier });
    const link = await newLink({ connectionId, changesInUse: true });
    const browser = createBrowser();
    const page = await browser.open(link.url);
    await send(browser, page, 'settings', saml);
    expect((await connectionOf(link))['identifier']).toEqual(identifier);
    const forged = saml.metadataXml.replaceAll(idp.ssoUrl, 'https://evil.example/sso');
    await send(browser, page, 'settings', { metadataXml: forged });
    const { acrossConnections: _, ...only } = identifier;
    expect((await connectionOf(link))['identifier']).toEqual(only);
  });

  test('speaks for no address any more where it leads to another provider', async () => {
    const domains = ['trusted.example'];
    const saml = { metadataUrl: idp.metadataUrl };
    const settings = { kind: 'saml', oidc: undefined, saml, domains, trustEmail: true };
    const connectionId = await auth.newConnection(tenantId, settings);
    const link = await newLink({ connectionId, changesInUse: true });
    const browser = createBrowser();
    const page = await browser.open(link.url);
    await send(browser, page, 'settings', saml);
    expect(await connectionOf(link)).toMatchObject({ domains, trustEmail: true });
    await send(browser, page, 'settings', { metadataUrl: elsewhere.metadataUrl });
    expect(await connectionOf(link)).toMatchObject({ domains: [], trustEmail: false });
    await send(browser, await browser.open(link.url), 'rollback', { revision: '1' });
    expect(await connectionOf(link)).toMatchObject({ domains: [], trustEmail: false });
  });

  test('speaks for what the administrator has said, where it is the first provider of a draft', async () => {
    const domains = ['prepared.example'];
    const draft = { name: 'Prepared', kind: 'saml', saml: {}, domains, trustEmail: true };
    const { body } = await ask<{ id: string }>('POST', '/sso-connections', draft);
    const link = await newLink({ connectionId: body.id });
    const browser = createBrowser();
    await send(browser, await browser.open(link.url), 'settings', { metadataUrl: idp.metadataUrl });
    expect(await connectionOf(link)).toMatchObject({ domains, trustEmail: true });
  });
});

describe('a change of who people are', () => {
  test('names who is told before something of it ends', async () => {
    const { link, browser, page } = await readyToTest('okta-oidc');
    expect((await connectionOf(link))['contacts']).toEqual([]);
    const refused = await send(browser, page, 'contacts', { contacts: 'it@acme.example, nobody' });
    expect(refused.status).toBe(400);
    expect(messagesIn(refused)).toContain('contacts.1 must be an e-mail address');
    expect(refused.text).toContain('value="it@acme.example, nobody"');
    const named = await send(browser, refused, 'contacts', { contacts: 'it@acme.example; security@acme.example' });
    expect(named.text).toContain('value="it@acme.example, security@acme.example"');
    expect((await connectionOf(link))['contacts']).toEqual(['it@acme.example', 'security@acme.example']);
    await send(browser, named, 'contacts', { contacts: '' });
    expect((await connectionOf(link))['contacts']).toEqual([]);
  });

  test('is tried on the sign-ins of the last week before it is made', async () => {
    const { tenantId: own } = await auth.newTenant();
    const connectionId = await auth.newConnection(own);
    await auth.signIn(await auth.newApplication(own));
    const link = await newLink({ connectionId, changesInUse: true }, own);
    const browser = createBrowser();
    const fields = { identifierType: 'employee_id', identifierAttribute: 'employee' };
    const page = await browser.open(link.url);
    const form = { ...page, text: (formOf(page, '/mapping') as Page).text.replace('/mapping', '/rehearse') };
    const tried = await browser.submit(form, fields);
    expect([tried.status, textsIn(tried, '#rehearsal').join('')]).toEqual([
      200,
      expect.stringMatching(/Of 1 sign-ins 1 would fail.*attribute_missing/s),
    ]);
    expect(await connectionOf(link, own)).toMatchObject({ identifier: null, revision: 1 });
    expect(tried.text).toContain('value="employee"');
  });
});

describe('a test', () => {
  test('that fails shows which check, why, and what to do', async () => {
    const { browser, page } = await readyToTest('generic-saml');
    idp.bends({ unsigned: xml => xml.replace(/(<saml:Audience>)[^<]*/, '$1https://other.example') });
    const tested = await send(browser, page, 'test');
    expect(checksIn(tested)).toMatchObject({
      'Its signature holds': 'holds',
      'It is meant for us (audience, conditions)': 'does not hold',
      'It was not used before': 'not looked at',
    });
    expect(tested.text).toContain('saml_audience');
    expect(tested.text).toContain('https://other.example');
    expect(formOf(tested, '/activate')).toBeNull();
  });

  test('that is refused at the provider is one that failed', async () => {
    const { browser, page } = await readyToTest('okta-oidc');
    auth.provider.refuses('access_denied');
    const tested = await send(browser, page, 'test');
    expect(checksIn(tested)).toMatchObject({ 'The identity provider agreed': 'does not hold' });
    expect(tested.text).toContain('person_cancelled');
  });

  test('whose person lacks the attribute that people are known by fails, and shows what was said', async () => {
    const { browser, page } = await readyToTest('okta-oidc');
    const fields = { identifierType: 'employee_id', identifierAttribute: 'employee' };
    const tested = await send(browser, await send(browser, page, 'mapping', fields), 'test');
    expect(checksIn(tested)).toMatchObject({ 'The attribute that people are known by is there': 'does not hold' });
    expect(tested.text).toContain('ada@acme.example');
  });

  test('signs nobody in', async () => {
    const { browser, page, link } = await readyToTest('okta-oidc');
    await send(browser, await send(browser, page, 'test'), 'activate');
    const application = await auth.newApplication(tenantId);
    const silent = await auth.authorize(application, { browser, prompt: 'none', connection: link.connectionId });
    expect(silent.page.url.searchParams.get('error')).toBe('login_required');
    expect(events.of(tenantId).some(({ type }) => type === 'session.created')).toBe(false);
  });

  test('counts for the settings that it was done with, and not after a change', async () => {
    const { browser, page, link } = await readyToTest('okta-oidc');
    const tested = await send(browser, page, 'test');
    const changed = await send(browser, tested, 'mapping', { email: 'mail' });
    expect([formOf(changed, '/activate'), changed.text.includes('changed since the last test')]).toEqual([null, true]);
    const refused = await browser.submit(formOf(tested, '/activate') as Page, {});
    expect([refused.status, refused.text.includes('connection_untested')]).toEqual([409, true]);
    expect(await connectionOf(link)).toMatchObject({ status: 'draft' });
  });

  test('counts for the secret that it was done with', async () => {
    const { browser, page } = await readyToTest('okta-oidc');
    const tested = await send(browser, page, 'test');
    expect(formOf(tested, '/activate')).not.toBeNull();
    const settings = { issuer: auth.provider.issuer, clientId: 'reeve', clientSecret: 'another' };
    expect(formOf(await send(browser, tested, 'settings', settings), '/activate')).toBeNull();
  });

  test('is finished by the browser that began it, once', async () => {
    const { browser, page } = await readyToTest('okta-oidc');
    // Another person's browser is sent there with the answer: it has no link.
    const form = formOf(page, '/test') as Page;
    const stopped = await browser.submit(form, {}, `${auth.url}/oidc/`);
    const foreign = await createBrowser().open(stopped.url);
    expect([foreign.status, foreign.text.includes('sign_in_expired')]).toEqual([400, true]);
    const own = await browser.open(stopped.url);
    expect(new Set(Object.values(checksIn(own)))).toEqual(new Set(['holds']));
    const again = await browser.open(stopped.url);
    expect([again.status, again.text.includes('sign_in_expired')]).toEqual([400, true]);
  });

  test('is not finished by the holder of another link', async () => {
    const victim = await readyToTest('okta-oidc');
    const attacker = await newLink();
    const stopped = await victim.browser.submit(formOf(victim.page, '/test') as Page, {}, `${auth.url}/oidc/`);
    const { searchParams } = stopped.url;
    const testId = (searchParams.get('state') ?? '').split('.')[0] ?? '';
    const answer = await fetch(`${auth.url}/setup-tests/${testId}/return/${victim.link.connectionId}?${searchParams}`, {
      redirect: 'manual',
      headers: { cookie: `reeve_setup=${attacker.url.split('/').at(-1)}` },
    });
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('sign_in_expired')]);
  });

  test('posted by another browser is nothing to the one that began it', async () => {
    const ends = async (ticketOf: (search: string) => string) => {
      const { browser, page } = await readyToTest('generic-saml');
      const { url: atIdp } = await browser.submit(formOf(page, '/test') as Page, {}, `${idp.url}/sso`);
      const { url } = await createBrowser().open(atIdp, `${auth.url}/setup-tests/`);
      return browser.open(`${url.origin}${url.pathname}${ticketOf(url.search)}`);
    };
    expect((await ends(() => '')).text).toContain('sign_in_expired');
    expect((await ends(search => search)).status).toBe(200);
  });
});

describe('nothing comes of', () => {
  const isOver = async (url: string, init: RequestInit = {}) => {
    const answer = await fetch(url, { redirect: 'manual', ...init });
    return answer.status === 404 && (await answer.text()).includes('setup_link_over');
  };

  test.each(['', 'x', 'a'.repeat(43), '..%2f..%2fv1', '%00', 'ä', '$ne', 'a'.repeat(5_000)])(
    'a link that is none (%.20s)',
    async token => {
      const answer = await fetch(`${auth.url}/setup/${token}`);
      expect([404, 400]).toContain(answer.status);
    },
  );

  test('a link that was revoked, in every form of its page', async () => {
    const { link, browser, page } = await readyToTest('okta-oidc');
    expect((await ask('POST', `/setup-links/${link.id}:revoke`)).body.revokedAt).not.toBeNull();
    expect(await isOver(link.url)).toBe(true);
    for (const form of ['guide', 'settings', 'mapping', 'test'])
      expect([form, (await browser.submit(formOf(page, `/${form}`) as Page, {})).status]).toEqual([form, 404]);
    for (const form of ['activate', 'rollback'])
      expect(await isOver(`${link.url}/${form}`, { method: 'POST', body: new URLSearchParams() })).toBe(true);
  });

  test.each(['generic-saml', 'okta-oidc'] as const)(
    'a link whose connection was deleted (%s): another one by its id would have its people',
    async guide => {
      const { link, browser, page } = await readyToTest(guide);
      await ask('DELETE', `/sso-connections/${link.connectionId}`);
      expect(await isOver(link.url)).toBe(true);
      const again = await browser.submit(formOf(page, '/settings') as Page, { metadataUrl: idp.metadataUrl });
      expect([again.status, again.text.includes('setup_link_over')]).toEqual([404, true]);
      expect((await ask('GET', `/sso-connections/${link.connectionId}`)).status).toBe(404);
    },
  );

  test('a link whose maker is no administrator any more; that of another one stays', async () => {
    const maker = await auth.newApplication(tenantId, { grantTypes: ['client_credentials'], redirectUris: [] });
    const asked = { grant_type: 'client_credentials', scope: `tenant:${tenantId}`, resource: auth.url };
    const as = (await auth.token(maker, asked)).body['access_token'] ?? '';
    const made = await auth.ask<Link>('POST', `/v1/tenants/${tenantId}/setup-links`, { as, body: { name: 'x' } });
    const other = await newLink();
    expect((await fetch(made.body.url)).status).toBe(200);
    await ask('DELETE', `/clients/${maker.id}`);
    await eventually('the link is over', () => isOver(made.body.url));
    expect((await fetch(other.url)).status).toBe(200);
    const revoked = await events.seen(tenantId, 'setup_link.revoked', made.body.id);
    expect(revoked.data.reason.code).toBe('maker_ended');
  });

  test('a new connection without what the API would ask for', async () => {
    const link = await newLink();
    const browser = createBrowser();
    const chosen = await send(browser, await browser.open(link.url), 'guide', { guide: 'okta-oidc' });
    const { issuer } = auth.provider;
    for (const fields of [
      { issuer, clientSecret: 'x' },
      { issuer, clientId: 'x' },
    ] as Record<string, string>[]) {
      const answer = await send(browser, chosen, 'settings', fields);
      expect([answer.status, messagesIn(answer)]).toEqual([400, expect.stringContaining('client')]);
    }
    expect((await ask('GET', `/sso-connections/${link.connectionId}`)).status).toBe(404);
    // Nothing is lost by it: the link goes on.
    const whole = { issuer, clientId: 'reeve', clientSecret: 'a secret' };
    expect((await send(browser, chosen, 'settings', whole)).text).toContain('These settings are saved');
  });

  test('two choices of another protocol at once: one counts, and the link goes on', async () => {
    const { link, browser, page } = await readyToTest('okta-oidc');
    const choose = () => browser.submit(formOf(page, '/guide') as Page, { guide: 'generic-saml' });
    const statuses = (await Promise.all([choose(), choose(), choose()])).map(({ status }) => status);
    expect(statuses).toContain(200);
    const after = await browser.open(link.url);
    expect([after.status, formOf(after, '/settings') !== null]).toEqual([200, true]);
  });

  test('another protocol while it is activated or deleted: there is one connection, and it is the link’s', async () => {
    for (let round = 0; round < 6; round += 1) {
      const { link, browser, page } = await readyToTest('okta-oidc');
      const tested = await send(browser, page, 'test');
      const isDeleted = round % 2 === 1;
      const end = isDeleted
        ? ask('DELETE', `/sso-connections/${link.connectionId}`)
        : browser.submit(formOf(tested, '/activate') as Page, {});
      await Promise.all([end, browser.submit(formOf(tested, '/guide') as Page, { guide: 'generic-saml' })]);
      const { body } = await ask<{ items: Link[] }>('GET', '/setup-links');
      expect(body.items.find(({ id }) => id === link.id)?.connectionId).toBe(link.connectionId);
      const { status, body: connection } = await ask<{ kind: string; status: string }>(
        'GET',
        `/sso-connections/${link.connectionId}`,
      );
      const after = await browser.open(link.url);
      if (isDeleted) expect([status, after.status]).toEqual([404, 404]);
      else
        expect([
          ['oidc', 'active'],
          ['saml', 'draft'],
        ]).toContainEqual([connection.kind, connection.status]);
    }
  });

  test.each([
    ['its connection is deleted', (link: Link) => ask('DELETE', `/sso-connections/${link.connectionId}`), 404],
    ['it is revoked', (link: Link) => ask('POST', `/setup-links/${link.id}:revoke`), 404],
  ] as const)('a form whose end comes after %s: the link is over, and stays so', async (_, end, status) => {
    for (const form of ['settings', 'guide', 'rehearse', 'test']) {
      const { link, browser } = await readyToTest('generic-saml');
      let send = (_chunk: string): void => undefined;
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          send = chunk => {
            controller.enqueue(new TextEncoder().encode(chunk));
            if (chunk.endsWith('&')) controller.close();
          };
        },
      });
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const init = { method: 'POST', headers, body, duplex: 'half', redirect: 'manual' };
      const late = fetch(`${link.url}/${form}`, init as RequestInit);
      send('guide=okta-oidc');
      // It has been let in by now.
      await new Promise(resolve => setTimeout(resolve, 100));
      await end(link);
      send(`&metadataUrl=${encodeURIComponent(elsewhere.metadataUrl)}&`);
      expect([form, (await late).status]).toEqual([form, status]);
      expect((await browser.open(link.url)).status).toBe(404);
    }
  });

  test('two first savings at once, of which one is told that it did not count', async () => {
    for (let round = 0; round < 4; round += 1) {
      const link = await newLink();
      const browser = createBrowser();
      const chosen = await send(browser, await browser.open(link.url), 'guide', { guide: 'okta-oidc' });
      const form = formOf(chosen, '/settings') as Page;
      const whole = { issuer: auth.provider.issuer, clientSecret: 'a secret' };
      const save = async (clientId: string) => {
        const { status, text } = await browser.submit(form, { ...whole, clientId });
        return { clientId, isSaved: status === 200 && text.includes('These settings are saved') };
      };
      const outcomes = await Promise.all([save('one'), save('other')]);
      const saved = outcomes.filter(({ isSaved }) => isSaved).map(({ clientId }) => clientId);
      const { oidc } = (await connectionOf(link)) as { oidc: { clientId: string } };
      // Where one came after the other, both were saved, and the last one is there.
      expect(saved).toContain(oidc.clientId);
      const { body: kept } = await ask<{ items: unknown[] }>('GET', `/sso-connections/${link.connectionId}/revisions`);
      expect(saved).toHaveLength(kept.items.length);
    }
  });

  test('beginning anew for people whom an administrator does not let in: they stay out', async () => {
    const { link, browser, page } = await readyToTest('okta-oidc');
    const jit = { enabled: false, defaultRoles: [] };
    await ask('PATCH', `/sso-connections/${link.connectionId}`, { jit });
    const saml = await send(browser, page, 'guide', { guide: 'generic-saml' });
    expect(await connectionOf(link)).toMatchObject({ kind: 'saml', jit });
    await send(browser, await send(browser, saml, 'guide', { guide: 'generic-oidc' }), 'settings', {
      issuer: auth.provider.issuer,
      clientId: 'reeve',
      clientSecret: 'a secret',
    });
    expect(await connectionOf(link)).toMatchObject({ kind: 'oidc', jit });
  });

  test('a field that is there twice, which clears nothing', async () => {
    const { link, browser, page } = await readyToTest('okta-oidc');
    await send(browser, page, 'contacts', { contacts: 'it@acme.example' });
    const twice = new URLSearchParams([
      ['contacts', 'a@acme.example'],
      ['contacts', 'b@acme.example'],
    ]);
    const answer = await fetch(`${link.url}/contacts`, { method: 'POST', body: twice });
    expect([answer.status, (await answer.text()).includes('contacts')]).toEqual([400, true]);
    expect((await connectionOf(link))['contacts']).toEqual(['it@acme.example']);
  });

  test.each([
    ['no settings', 'settings', {}, 'issuer is missing'],
    ['an issuer that is none', 'settings', { issuer: 'x', clientId: 'a', clientSecret: 'b' }, 'issuer'],
    ['an issuer inside', 'settings', { issuer: 'http://169.254.169.254', clientId: 'a', clientSecret: 'b' }, ''],
    ['no secret', 'settings', { issuer: 'https://idp.example', clientId: 'a' }, ''],
    ['an identifier without its attribute', 'mapping', { identifierType: 'email' }, 'identifierAttribute is missing'],
    ['an identifier that is none', 'mapping', { identifierType: 'magic', identifierAttribute: 'x' }, 'identifier.type'],
    ['a guide that is none', 'guide', { guide: '__proto__' }, 'guide'],
  ])('%s, which the form shows again with what is wrong', async (_, form, fields, message) => {
    const { browser, page, link } = await readyToTest('okta-oidc');
    const before = await connectionOf(link);
    const answer = await send(browser, page, form, fields);
    expect(answer.status).toBe(400);
    expect(messagesIn(answer)).toContain(message);
    expect(await connectionOf(link)).toEqual(before);
  });

  test('fields that no form has, however many, nor of one that is there twice', async () => {
    const { link } = await readyToTest('okta-oidc');
    const many = new URLSearchParams(Array.from({ length: 30_000 }, (_, index) => [`f${index}`, '1']));
    const began = performance.now();
    expect((await fetch(`${link.url}/settings`, { method: 'POST', body: many })).status).toBe(400);
    expect(performance.now() - began).toBeLessThan(2_000);
    const twice = new URLSearchParams([...Array(2).fill(['issuer', auth.provider.issuer])]);
    expect((await fetch(`${link.url}/settings`, { method: 'POST', body: twice })).status).toBe(400);
    const large = new URLSearchParams({ metadataXml: 'x'.repeat(400_000) });
    expect((await fetch(`${link.url}/settings`, { method: 'POST', body: large })).status).toBe(413);
  });

  test('a revision that is none', async () => {
    const { link } = await readyToTest('okta-oidc');
    for (const revision of ['0', '-1', '1.5', 'x', '99', '9'.repeat(40)]) {
      const answer = await fetch(`${link.url}/rollback`, { method: 'POST', body: new URLSearchParams({ revision }) });
      expect([revision, answer.status]).toEqual([revision, 400]);
    }
  });

  test('what the secret of another link would reach: tenants stay apart', async () => {
    const other = await auth.newTenant();
    const { link } = await readyToTest('okta-oidc');
    const path = `/v1/tenants/${other.tenantId}/setup-links/${link.id}`;
    const as = await auth.asPlatform();
    expect((await auth.ask('GET', path, { as })).status).toBe(404);
    expect((await auth.ask('POST', `${path}:revoke`, { as })).status).toBe(404);
    expect((await auth.ask('GET', `/v1/tenants/${tenantId}/setup-links/${newId('setupLink')}`, { as })).status).toBe(
      404,
    );
  });

  test('a referrer: no page tells another host of the link', async () => {
    const { link } = await readyToTest('okta-oidc');
    const { headers } = await fetch(link.url);
    expect([headers.get('referrer-policy'), headers.get('cache-control')]).toEqual(['no-referrer', 'no-store']);
  });
});
