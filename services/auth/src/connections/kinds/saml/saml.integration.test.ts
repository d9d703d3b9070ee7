// Signing in by SAML, from the application's first redirect to its tokens, and what somebody else could try in between.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Id, TenantId } from '@reeve/contracts';
import { createBrowser, type EventReader, eventually, readEvents } from '@reeve/testing';
import { type SamlIdentityProvider, startSamlIdentityProvider } from '@reeve/testing/saml';
import { type Application, type Auth, callback, startAuth } from '../../../auth.test-support.ts';

let idp: SamlIdentityProvider;
let auth: Auth;
let events: EventReader;
let tenantId: TenantId;
let connectionId: Id<'connection'>;
let application: Application;

const ada = {
  nameId: 'ada',
  attributes: { email: 'ada@acme.example', givenName: 'Ada', surname: 'Lovelace', groups: ['a', 'b'] },
};

beforeAll(async () => {
  idp = await startSamlIdentityProvider();
  auth = await startAuth({ REEVE_ALLOWED_PRIVATE_ORIGINS: idp.url });
  events = await readEvents('reeve.auth.v1');
  ({ tenantId } = await auth.newTenant());
  connectionId = await newSamlConnection(tenantId, { metadataUrl: idp.metadataUrl });
  application = await auth.newApplication(tenantId);
}, 60_000);
afterAll(async () => {
  await events.stop();
  await auth.stop();
  await idp.stop();
});
beforeEach(() => {
  idp.is(ada);
  idp.signs({ response: true, assertion: true });
  idp.encrypts(null);
  idp.bends({});
});

const newSamlConnection = (tenant: TenantId, saml: object, more: object = {}) =>
  auth.newConnection(tenant, { kind: 'saml', oidc: undefined, saml, ...more });

const readConnection = async (tenant: TenantId, id: string) =>
  (
    await auth.ask<{ saml: Record<string, unknown>; redirectUri: string; expiresAt: string }>(
      'GET',
      `/v1/tenants/${tenant}/sso-connections/${id}`,
      { as: await auth.asPlatform() },
    )
  ).body;

const failures = (of = tenantId) =>
  events
    .of(of)
    .filter(({ type }) => type === 'sign_in.failed')
    .map(({ data }) => data.reason.code);

async function failsAt(reason: string, before: number, of = tenantId): Promise<void> {
  const known = await eventually(`a failure at ${reason}`, () => failures(of).length > before && failures(of));
  expect(known.at(-1)).toBe(reason);
}

/** A browser that comes from the identity provider: the form that it is to post, and where. */
async function returning(parameters: Record<string, string> = {}) {
  const { browser, page } = await auth.authorize(application, { ...parameters, stopAt: `${idp.url}/sso` });
  const shown = await fetch(page.url);
  return { browser, page: { url: page.url, status: 200, headers: shown.headers, text: await shown.text() } };
}

describe('a sign-in', () => {
  test('ends in tokens that say who it is, and is on the record as one by SAML', async () => {
    const { claims } = await auth.signIn(application);
    expect(claims).toMatchObject({ tid: tenantId, email: 'ada@acme.example', name: 'Ada Lovelace' });
    expect(auth.provisioning.asked.at(-1)).toMatchObject({
      connectionId,
      issuer: idp.entityId,
      subject: 'ada',
      emailVerified: false,
      domainOwned: false,
    });
    expect((await events.seen(tenantId, 'sign_in.succeeded', claims.sub)).data).toMatchObject({
      details: { method: 'saml' },
    });
  });

  test('carries what the application wishes, in a request to this provider alone', async () => {
    await auth.authorize(application, { prompt: 'login', acr_values: 'https://refeds.org/profile/mfa mfa' });
    expect(idp.asked.at(-1)).toMatchObject({
      forceAuthn: true,
      issuer: `${auth.url}/saml/${connectionId}/metadata`,
      acsUrl: `${auth.url}/saml/${connectionId}/acs`,
      requestedAuthnContext: { classes: ['https://refeds.org/profile/mfa'] },
    });
  });

  test('is a fresh one, or refused, where the application asks for one of a certain age', async () => {
    idp.is({ ...ada, authnInstant: new Date(Date.now() - 3_600_000).toISOString() });
    const before = failures().length;
    expect((await auth.authorize(application, { max_age: '60' })).page.text).toContain('sign_in_failed');
    expect(idp.asked.at(-1)).toMatchObject({ forceAuthn: true });
    await failsAt('authentication_too_old', before);
    idp.is(ada);
    expect((await auth.signIn(application, { max_age: '60' })).claims['email']).toBe('ada@acme.example');
    idp.is({ ...ada, authnInstant: new Date(Date.now() - 3_600_000).toISOString() });
    expect((await auth.signIn(application)).claims['email']).toBe('ada@acme.example');
  });

  test('ends well where the form is posted twice, at once or one after the other', async () => {
    for (const isAtOnce of [true, false]) {
      const { browser, page } = await returning();
      const form = new URLSearchParams(
        ['SAMLResponse', 'RelayState'].map(name => [
          name,
          (new RegExp(`name="${name}" value="([^"]*)"`).exec(page.text)?.[1] ?? '').replaceAll('&#43;', '+'),
        ]),
      );
      const post = async () => {
        const answer = await fetch(`${auth.url}/saml/${connectionId}/acs`, {
          method: 'POST',
          redirect: 'manual',
          body: form,
        });
        return new URL(answer.headers.get('location') ?? '', auth.url);
      };
      const returns = isAtOnce ? await Promise.all([post(), post(), post()]) : [await post(), await post()];
      const pages = [];
      for (const target of returns) pages.push(await browser.open(target, callback));
      expect(pages.filter(({ url }) => url.href.startsWith(`${callback}?code=`))).toHaveLength(1);
      expect(pages.filter(({ status }) => status === 400)).toHaveLength(returns.length - 1);
    }
  });

  test.each([
    ['the assertion alone', { response: false, assertion: true }],
    ['the response alone', { response: true, assertion: false }],
  ])('works where %s is signed', async (_, signs) => {
    idp.signs(signs);
    expect((await auth.signIn(application)).claims['email']).toBe('ada@acme.example');
  });

  test('is refused where nothing is signed', async () => {
    idp.signs({ response: false, assertion: false });
    const before = failures().length;
    expect((await auth.authorize(application)).page.text).toContain('sign_in_failed');
    await failsAt('saml_signature', before);
  });

  test('of the provider that refuses is shown to the person, and why to the administrator', async () => {
    idp.refuses();
    const before = failures().length;
    expect((await auth.authorize(application)).page.text).toContain('sign_in_failed');
    await failsAt('refused_by_provider', before);
  });

  test('ends the session when the provider says', async () => {
    const inAnHour = new Date(Date.now() + 3_600_000);
    idp.is({ ...ada, sessionNotOnOrAfter: inAnHour.toISOString() });
    const { claims } = await auth.signIn(application);
    const { body } = await auth.ask<{ items: { id: string; expiresAt: string }[] }>(
      'GET',
      `/v1/tenants/${tenantId}/users/${claims.sub}/sessions`,
      { as: await auth.asPlatform() },
    );
    const session = body.items.find(({ id }) => id === claims['sid']);
    expect(Date.parse(session?.expiresAt ?? '')).toBeLessThanOrEqual(inAnHour.getTime());
  });
});

test.each(['urn:\u0001x', 'urn:\ufffex', 'urn:ä', 'http://x y:z'])(
  'a level that is no name of one (%j) is not asked for, and the sign-in goes on',
  async acr_values => {
    const { claims } = await auth.signIn(application, { acr_values });
    expect(claims['email']).toBe('ada@acme.example');
  },
);

describe('what comes back', () => {
  test('counts once, at whichever sign-in', async () => {
    const { browser, page } = await returning();
    const first = await browser.submit(page, {}, callback);
    expect(first.url.searchParams.get('code')).not.toBeNull();
    expect((await browser.submit(page, {}, callback)).text).toContain('sign_in_expired');
  });

  test('counts at the browser that began the sign-in and at no other (login CSRF)', async () => {
    const { browser, page } = await returning();
    expect((await createBrowser().submit(page, {}, callback)).text).toContain('sign_in_expired');
    expect((await browser.submit(page, {}, callback)).url.searchParams.get('code')).not.toBeNull();
  });

  test('counts where it was posted: who began the sign-in has no use of what another one brought', async () => {
    const ends = async (ticketOf: (search: string) => string) => {
      const { browser, page } = await returning({ connection: connectionId });
      const { url } = await createBrowser().submit(page, {}, `${auth.url}/interaction/`);
      return browser.open(`${url.origin}${url.pathname}${ticketOf(url.search)}`, callback);
    };
    for (const guess of ['', '?ticket=', '?ticket=AAAAAAAAAAAAAAAAAAAAAA'])
      expect((await ends(() => guess)).text).toContain('sign_in_expired');
    // It is the ticket that is missing, and nothing else.
    expect((await ends(search => search)).url.searchParams.get('code')).not.toBeNull();
  });

  test('counts in the sign-in that it answers and in no other of the same browser', async () => {
    const one = await returning();
    const other = await returning();
    const before = failures().length;
    const swapped = one.page.text.replace(/(name="RelayState" value=")[^"]*/, `$1${relayStateOf(other.page.text)}`);
    expect((await other.browser.submit({ ...one.page, text: swapped }, {}, callback)).text).toContain('sign_in_failed');
    await failsAt('saml_response_to', before);
    expect((await one.browser.submit(one.page, {}, callback)).url.searchParams.get('code')).not.toBeNull();
  });

  test('counts at the connection that asked and at no other, of this tenant or of another one', async () => {
    const sibling = await newSamlConnection(tenantId, { metadataUrl: idp.metadataUrl }, { name: 'Sibling' });
    const stranger = await auth.newTenant();
    const foreign = await newSamlConnection(stranger.tenantId, { metadataUrl: idp.metadataUrl });
    for (const elsewhere of [sibling, foreign]) {
      const { browser, page } = await returning({ connection: connectionId });
      const moved = { ...page, text: page.text.replace(`/saml/${connectionId}/acs`, `/saml/${elsewhere}/acs`) };
      expect((await browser.submit(moved, {}, callback)).text).toContain('sign_in_expired');
      expect((await browser.submit(page, {}, callback)).url.searchParams.get('code')).not.toBeNull();
    }
  });

  test.each([
    ['nothing', ''],
    ['no state', 'SAMLResponse=PHg+'],
    ['a state of nobody', 'SAMLResponse=PHg%2B&RelayState=abcdefghijklmnopqrstu.x'],
    ['two states', 'SAMLResponse=PHg%2B&RelayState=abcdefghijklmnopqrstu.x&RelayState=abcdefghijklmnopqrstv.x'],
  ])('with %s leads nowhere', async (_, body) => {
    const response = await fetch(`${auth.url}/saml/${connectionId}/acs`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body,
    });
    expect([response.status, await response.text()]).toEqual([400, expect.stringMatching(/sign_in_(expired|failed)/)]);
  });

  test('as more than anybody sends, or as something else than a form, is refused as that', async () => {
    const post = (body: string, type = 'application/x-www-form-urlencoded') =>
      fetch(`${auth.url}/saml/${connectionId}/acs`, { method: 'POST', headers: { 'content-type': type }, body });
    expect((await post(`SAMLResponse=${'a'.repeat(10_000_000)}`)).status).toBe(413);
    expect((await post('{}', 'application/json')).status).toBe(415);
  });
});

const relayStateOf = (text: string) => /name="RelayState" value="([^"]*)/.exec(text)?.[1] ?? '';

describe('the keys of the provider', () => {
  test('are the two that its metadata names while it changes them', async () => {
    const own = await startSamlIdentityProvider();
    own.is(ada);
    const before = own.certificate();
    await own.changesItsKeys({ keepOld: true });
    const certificates = [before, own.certificate()];
    const id = await newSamlConnection(
      tenantId,
      { entityId: own.entityId, ssoUrl: idp.ssoUrl, certificates },
      { name: 'Rotating' },
    );
    expect((await readConnection(tenantId, id)).saml['certificates']).toHaveLength(2);
    await own.stop();
  });

  test('that its metadata does not name sign nobody in', async () => {
    const mine = await startSamlIdentityProvider();
    const { browser, page } = await returning();
    const requestId = idp.asked.at(-1)?.id ?? '';
    const forged = await mine.responseFor({
      id: requestId,
      issuer: `${auth.url}/saml/${connectionId}/metadata`,
      acsUrl: `${auth.url}/saml/${connectionId}/acs`,
    });
    const before = failures().length;
    const text = page.text.replace(/(name="SAMLResponse" value=")[^"]*/, `$1${forged}`);
    expect((await browser.submit({ ...page, text }, {}, callback)).text).toContain('sign_in_failed');
    await failsAt('saml_issuer', before);
    await mine.stop();
  });
});

describe('our own keys', () => {
  test('sign requests where it is wanted, by a certificate that our metadata names', async () => {
    const id = await newSamlConnection(
      tenantId,
      { metadataUrl: idp.metadataUrl, signRequests: true },
      { name: 'Signed requests' },
    );
    const { saml } = await readConnection(tenantId, id);
    const [certificate] = saml['spCertificates'] as string[];
    const metadata = await (await fetch(String(saml['spMetadataUrl']))).text();
    expect(metadata).toContain((certificate ?? '').replace(/-----[A-Z ]+-----|\s/g, ''));
    expect(metadata).toContain('AuthnRequestsSigned="true"');
    idp.knows({ certificate: certificate ?? null });
    await auth.signIn(application, { connection: id });
    expect(idp.asked.at(-1)).toMatchObject({ signature: 'holds' });
  });

  test('open what is encrypted for us; where that is wanted, nothing else is taken', async () => {
    const id = await newSamlConnection(
      tenantId,
      { metadataUrl: idp.metadataUrl, wantEncrypted: true },
      { name: 'Encrypted' },
    );
    const before = failures().length;
    expect((await auth.authorize(application, { connection: id })).page.text).toContain('sign_in_failed');
    await failsAt('saml_encryption', before);
    const { saml } = await readConnection(tenantId, id);
    idp.encrypts((saml['spCertificates'] as string[])[0] ?? null);
    for (const signs of [
      { response: true, assertion: true },
      { response: false, assertion: true },
      { response: true, assertion: false },
    ]) {
      idp.signs(signs);
      expect((await auth.signIn(application, { connection: id })).claims['email']).toBe('ada@acme.example');
    }
  });

  test('do not open what was encrypted for somebody else', async () => {
    const id = await newSamlConnection(
      tenantId,
      { metadataUrl: idp.metadataUrl, wantEncrypted: true },
      { name: 'Encrypted for others' },
    );
    idp.encrypts(idp.certificate());
    const before = failures().length;
    expect((await auth.authorize(application, { connection: id })).page.text).toContain('sign_in_failed');
    await failsAt('saml_encryption', before);
  });
});

describe('a provider that takes requests by POST alone', () => {
  test('gets them by a page whose button leads there, without a script', async () => {
    const metadataXml = idp.metadataXml().replace(/<[^<]*SingleSignOnService[^>]*HTTP-Redirect[^>]*>(<\/[^>]*>)?/, '');
    const id = await newSamlConnection(tenantId, { metadataXml }, { name: 'By POST' });
    const { browser, page } = await auth.authorize(application, { connection: id });
    expect(page.text).toContain('Continue');
    expect(page.text).not.toContain('<script');
    const done = await browser.submit(page, {}, callback);
    expect(done.url.searchParams.get('code')).not.toBeNull();
    expect(idp.asked.at(-1)).toMatchObject({ binding: 'post' });
  });
});

describe('a mapping', () => {
  test('says by what somebody is known, and what name and address they have', async () => {
    const id = await newSamlConnection(
      tenantId,
      { metadataUrl: idp.metadataUrl },
      {
        name: 'Mapped',
        attributes: { email: 'mail', displayName: { expression: 'claims.first + " " + claims.last' } },
        identifier: { type: 'employee_id', attribute: 'employee', normalize: ['trim', 'lowercase'] },
      },
    );
    const attributes = { mail: 'ada@acme.example', first: 'Ada', last: 'L.', employee: ' E-17 ' };
    idp.is({ nameId: 'changes-each-time', nameIdFormat: transient, attributes });
    expect((await auth.signIn(application, { connection: id })).claims['name']).toBe('Ada L.');
    expect(auth.provisioning.asked.at(-1)).toMatchObject({ subject: 'employee_id:e-17', email: 'ada@acme.example' });
    idp.is({ nameId: 'ada', attributes: { mail: 'ada@acme.example' } });
    const before = failures().length;
    expect((await auth.authorize(application, { connection: id })).page.text).toContain('sign_in_failed');
    await failsAt('attribute_missing', before);
  });

  test('is needed where the provider names people anew at each sign-in', async () => {
    idp.is({ ...ada, nameIdFormat: transient });
    const before = failures().length;
    expect((await auth.authorize(application)).page.text).toContain('sign_in_failed');
    await failsAt('subject_missing', before);
  });
});

const transient = 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient';

describe('settings', () => {
  const create = async (saml: object, more: object = {}) =>
    auth.ask<{ code: string; detail: string; errors?: { field: string }[] }>(
      'POST',
      `/v1/tenants/${tenantId}/sso-connections`,
      { as: await auth.asPlatform(), body: { name: 'SAML', kind: 'saml', saml, ...more } },
    );

  test.each([
    ['half of what is set by hand', { entityId: 'x' }, 400],
    ['two sources', { metadataXml: '<x></x>', metadataUrl: 'https://idp.example/metadata' }, 400],
    ['no XML', { metadataXml: 'nonsense' }, 422],
    ['a document type', { metadataXml: '<!DOCTYPE x [<!ENTITY e "e">]><x></x>' }, 422],
    [
      'metadata of a service provider',
      {
        metadataXml:
          '<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata"><SPSSODescriptor></SPSSODescriptor></EntityDescriptor>',
      },
      422,
    ],
    ['an address inside the network', { metadataUrl: 'http://169.254.169.254/latest' }, 422],
    ['a certificate that is none', { entityId: 'x', ssoUrl: 'https://idp.example/sso', certificates: ['abc'] }, 422],
    ['a setting that there is none of', { metadataUrl: 'https://idp.example', signResponses: true }, 400],
  ])('with %s are refused', async (_, saml, status) => {
    const answer = await create(saml);
    expect([answer.status, answer.body.code]).toEqual([status, expect.stringMatching(/invalid|refused|unreachable/)]);
  });

  test('that lead a browser to a script, or out of https, are refused', async () => {
    for (const ssoUrl of [
      'javascript:alert(1)',
      'data:text/html,x',
      'http://idp.example/sso',
      'https://a:b@idp.example',
    ])
      for (const saml of [
        { entityId: 'x', ssoUrl, certificates: [idp.certificate()] },
        { metadataXml: idp.metadataXml().replaceAll(idp.ssoUrl, ssoUrl) },
      ])
        expect((await create(saml)).status).toBeGreaterThanOrEqual(400);
  });

  test('of an expression that may not end are refused by their name', async () => {
    const { status, body } = await create(
      { metadataUrl: idp.metadataUrl },
      { attributes: { email: { expression: 'claims.a.matches("(a+)+$")' } } },
    );
    expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining('attributes.email')]);
  });

  test('are shown with what the administrator has to copy to the provider, and when they end', async () => {
    const { saml, redirectUri, expiresAt } = await readConnection(tenantId, connectionId);
    expect(redirectUri).toBe(`${auth.url}/saml/${connectionId}/acs`);
    expect(saml).toMatchObject({ entityId: idp.entityId, spEntityId: `${auth.url}/saml/${connectionId}/metadata` });
    expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now());
  });

  test('may be a draft that says nothing of the provider, which wants to know of us first; nobody comes in by it', async () => {
    const as = await auth.asPlatform();
    const { status, body } = await auth.ask<{ id: string; redirectUri: string; saml: Record<string, unknown> }>(
      'POST',
      `/v1/tenants/${tenantId}/sso-connections`,
      { as, body: { name: 'To come', kind: 'saml', saml: {}, jit: { enabled: true } } },
    );
    expect([status, body.saml]).toEqual([201, expect.objectContaining({ entityId: null, certificates: [] })]);
    const own = `/v1/tenants/${tenantId}/sso-connections/${body.id}`;
    const activate = () => auth.ask<{ code: string }>('POST', `${own}:activate`, { as });
    expect((await activate()).body.code).toBe('connection_incomplete');
    for (const verb of [':test', ':refresh-metadata'])
      expect((await auth.ask('POST', own + verb, { as })).status).toBeLessThan(500);
    expect((await auth.ask('GET', `${own}/grade`, { as })).status).toBe(200);
    const metadata = await (await fetch(String(body.saml['spMetadataUrl']))).text();
    expect(metadata).toContain(body.redirectUri);
    expect(metadata).toContain('use="encryption"');
    const { redirect } = idp.logoutRequest({ nameId: 'ada', destination: `${auth.url}/saml/${body.id}/slo` });
    expect((await fetch(redirect, { redirect: 'manual' })).status).toBe(409);
    await auth.ask('PATCH', own, { as, body: { saml: { metadataUrl: idp.metadataUrl } } });
    expect((await activate()).status).toBe(200);
    expect((await auth.signIn(application, { connection: body.id })).claims['email']).toBe('ada@acme.example');
    const back = await auth.ask<{ code: string }>('POST', `${own}:rollback`, { as, body: { revision: 1 } });
    expect([back.status, back.body.code]).toEqual([409, 'connection_incomplete']);
  });

  test('are changed in part; the provider is another one only where that is said', async () => {
    const id = await newSamlConnection(tenantId, { metadataUrl: idp.metadataUrl }, { name: 'Changing' });
    const { status } = await auth.ask('PATCH', `/v1/tenants/${tenantId}/sso-connections/${id}`, {
      as: await auth.asPlatform(),
      body: { saml: { signRequests: true } },
    });
    expect(status).toBe(200);
    const { saml } = await readConnection(tenantId, id);
    expect(saml).toMatchObject({ entityId: idp.entityId, signRequests: true, metadataUrl: idp.metadataUrl });
    expect(saml['spCertificates']).toHaveLength(1);
  });
});

describe('metadata of ours', () => {
  test('is there for whoever knows the connection, and of no other', async () => {
    const answer = await fetch(`${auth.url}/saml/${connectionId}/metadata`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, expect.stringContaining('samlmetadata')]);
    for (const id of ['con_nobody', '../x', connectionId.slice(0, -1)])
      expect((await fetch(`${auth.url}/saml/${encodeURIComponent(id)}/metadata`)).status).toBe(404);
  });
});

describe('a response that nobody asked for', () => {
  const start = 'https://app.example/login';
  let own: TenantId;
  let open: Id<'connection'>;

  beforeAll(async () => {
    ({ tenantId: own } = await auth.newTenant());
    const client = await auth.newApplication(own, { initiateLoginUri: start });
    const saml = { metadataUrl: idp.metadataUrl, allowIdpInitiated: true, idpInitiatedClientId: client.id };
    open = await newSamlConnection(own, saml);
  });

  const unasked = async (connection: string, lies = {}, how = {}) =>
    idp.responseFor(
      {
        id: null,
        issuer: `${auth.url}/saml/${connection}/metadata`,
        acsUrl: `${auth.url}/saml/${connection}/acs`,
      },
      lies,
      how,
    );
  const post = (connection: string, response: string, relayState = 'https://evil.example/') =>
    fetch(`${auth.url}/saml/${connection}/acs`, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams({ SAMLResponse: response, RelayState: relayState }),
    });

  test('has the application begin a sign-in that we ask for, and signs nobody in', async () => {
    const answer = await post(open, await unasked(open));
    const location = new URL(answer.headers.get('location') ?? '');
    expect([answer.status, location.origin + location.pathname]).toEqual([303, start]);
    expect(Object.fromEntries(location.searchParams)).toEqual({ iss: auth.url, tenant: own, connection: open });
    expect(answer.headers.get('set-cookie')).toBeNull();
  });

  test('counts once, and only as the provider signed it', async () => {
    const once = await unasked(open);
    expect((await post(open, once)).status).toBe(303);
    expect((await post(open, once)).status).toBe(400);
    const unsigned = await unasked(open, {}, { signs: { response: false, assertion: false } });
    expect((await post(open, unsigned)).status).toBe(400);
    expect((await post(open, await unasked(open, { audiences: [['somebody else']] }))).status).toBe(400);
  });

  test('is no answer to a request of ours, nor the other way round', async () => {
    const { page } = await returning();
    const answer = /name="SAMLResponse" value="([^"]*)/.exec(page.text)?.[1] ?? '';
    expect((await post(connectionId, answer)).status).toBe(400);
    const before = failures().length;
    const { browser, page: asked } = await returning();
    const swapped = asked.text.replace(/(name="SAMLResponse" value=")[^"]*/, `$1${await unasked(connectionId)}`);
    expect((await browser.submit({ ...asked, text: swapped }, {}, callback)).text).toContain('sign_in_failed');
    await failsAt('saml_response_to', before);
  });

  test('is refused where the connection takes none, which is on the record', async () => {
    const before = failures().length;
    expect((await post(connectionId, await unasked(connectionId))).status).toBe(400);
    await failsAt('unsolicited', before);
  });

  test('is taken only with an application to begin at, which is the tenant’s own', async () => {
    const as = await auth.asPlatform();
    const path = `/v1/tenants/${own}/sso-connections`;
    const body = (saml: object) => ({
      name: 'IdP first',
      kind: 'saml',
      saml: { metadataUrl: idp.metadataUrl, ...saml },
    });
    const without = await auth.ask<{ code: string }>('POST', path, { as, body: body({ allowIdpInitiated: true }) });
    expect([without.status, JSON.stringify(without.body)]).toEqual([
      400,
      expect.stringContaining('idpInitiatedClientId'),
    ]);
    const foreign = await auth.newApplication(tenantId, { initiateLoginUri: start });
    const id = await newSamlConnection(own, {
      metadataUrl: idp.metadataUrl,
      allowIdpInitiated: true,
      idpInitiatedClientId: foreign.id,
    });
    expect((await post(id, await unasked(id))).status).toBe(400);
  });
});

describe('a connection without a key of ours', () => {
  const settings = () => ({ entityId: idp.entityId, ssoUrl: idp.ssoUrl, certificates: [idp.certificate()] });

  test('refuses what is encrypted for whomever, and what ends sessions, as anything else', async () => {
    const id = await newSamlConnection(tenantId, settings(), { name: 'Keyless' });
    expect((await auth.signIn(application, { connection: id })).claims['email']).toBe('ada@acme.example');
    idp.encrypts(idp.certificate());
    const before = failures().length;
    const { page } = await auth.authorize(application, { connection: id });
    expect([page.status, page.text]).toEqual([400, expect.stringContaining('sign_in_failed')]);
    await failsAt('saml_encryption', before);
    const { redirect } = idp.logoutRequest({ nameId: 'ada', destination: `${auth.url}/saml/${id}/slo` });
    expect((await fetch(redirect, { redirect: 'manual' })).status).toBe(400);
  });
});

describe('single logout', () => {
  const sloUrl = (id: string = connectionId) => `${auth.url}/saml/${id}/slo`;
  const isOver = async (sid: unknown) => {
    const { body } = await auth.ask<{ items: { id: string; status: string }[] }>(
      'GET',
      `/v1/tenants/${tenantId}/sessions?limit=200`,
      { as: await auth.asPlatform() },
    );
    return body.items.find(({ id }) => id === sid)?.status === 'revoked';
  };
  const signedIn = async (sessionIndex: string) => {
    idp.is({ ...ada, sessionIndex });
    return auth.signIn(application);
  };
  const hear = (url: string, form?: Record<string, string>) =>
    fetch(url, { redirect: 'manual', ...(form ? { method: 'POST', body: new URLSearchParams(form) } : {}) });

  test.each(['redirect', 'post'] as const)('by the provider (%s) ends the session that it names, once', async how => {
    const one = await signedIn(`one-${how}`);
    const other = await signedIn(`other-${how}`);
    const request = idp.logoutRequest({
      nameId: 'ada',
      sessionIndex: `one-${how}`,
      destination: sloUrl(),
      relayState: 'a b!(é)~+&',
    });
    const send = () => (how === 'redirect' ? hear(request.redirect) : hear(sloUrl(), request.post));
    const { saml: of } = await readConnection(tenantId, connectionId);
    idp.knows({ certificate: (of['spCertificates'] as string[])[0] ?? null });
    const answer = await send();
    expect(answer.status).toBe(303);
    await hear(answer.headers.get('location') ?? '');
    expect(idp.logouts.at(-1)).toMatchObject({ kind: 'response', inResponseTo: request.id, signature: 'holds' });
    const location = new URL(answer.headers.get('location') ?? '');
    expect(location.href.startsWith(idp.sloUrl)).toBe(true);
    expect(location.searchParams.get('RelayState')).toBe('a b!(é)~+&');
    expect([await isOver(one.claims['sid']), await isOver(other.claims['sid'])]).toEqual([true, false]);
    const revoked = await events.seen(tenantId, 'session.revoked', String(one.claims['sid']));
    expect(revoked.data).toMatchObject({ reason: { code: 'provider_logout' }, actor: { type: 'identity_provider' } });
    expect(await auth.refresh(application, one.tokens['refresh_token'] ?? '')).toMatchObject({ status: 400 });
    expect((await send()).status).toBe(400);
  });

  test('that names no session ends all of the subject, and nobody else’s', async () => {
    const sids = [(await signedIn('x')).claims['sid'], (await signedIn('y')).claims['sid']];
    idp.is({ nameId: 'bob', attributes: {} });
    const bob = (await auth.signIn(application)).claims['sid'];
    await hear(idp.logoutRequest({ nameId: 'ada', destination: sloUrl() }).redirect);
    expect(await Promise.all([...sids, bob].map(isOver))).toEqual([true, true, false]);
  });

  test('which the provider has not said, or not to us and now, ends nothing', async () => {
    const { claims } = await signedIn('z');
    const usual = { nameId: 'ada', sessionIndex: 'z', destination: sloUrl() };
    const other = await newSamlConnection(tenantId, { metadataUrl: idp.metadataUrl }, { name: 'Another' });
    const old = new Date(Date.now() - 3_600_000).toISOString();
    const wrong = [
      idp.logoutRequest({ ...usual, signedBy: null }),
      idp.logoutRequest({ ...usual, signedBy: idp.foreignKey }),
      idp.logoutRequest({ ...usual, method: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1' }),
      idp.logoutRequest({ ...usual, lies: { issuer: 'https://other.example' } }),
      idp.logoutRequest({ ...usual, lies: { issueInstant: old } }),
      idp.logoutRequest({ ...usual, lies: { notOnOrAfter: old } }),
      idp.logoutRequest({ ...usual, destination: sloUrl(other) }),
    ];
    for (const [index, request] of wrong.entries()) {
      const url = new URL(request.redirect);
      const statuses = [(await hear(`${sloUrl()}${url.search}`)).status, (await hear(sloUrl(), request.post)).status];
      expect([index, ...statuses]).toEqual([index, 400, 400]);
    }
    const honest = new URL(idp.logoutRequest({ ...usual, relayState: 'a' }).redirect);
    for (const bent of [
      honest.search.replace('RelayState=a', 'RelayState=b'),
      `${honest.search}&RelayState=a`,
      honest.search.replace('&RelayState=a', ''),
      // Signed is what is written plainly, and what is written otherwise would be read.
      honest.search.replace('?', '?%53AMLRequest=AAAA&'),
      honest.search.replace('SAMLRequest=', '%53AMLRequest='),
      `${honest.search}&%52elayState=b`,
      honest.search.replace(/SigAlg=[^&]*/, 'SigAlg=constructor'),
      '?SAMLRequest=AAAA',
      '',
    ])
      expect((await hear(`${sloUrl()}${bent}`)).status).toBe(400);
    expect(await isOver(claims['sid'])).toBe(false);
    expect((await hear(honest.href)).status).toBe(303);
    expect(await isOver(claims['sid'])).toBe(true);
  });

  test.each(['con_nobody', 'con_01890000-0000-7000-8000-000000000000'])('at no connection (%s) is 404', async id => {
    const { redirect } = idp.logoutRequest({ nameId: 'ada', destination: sloUrl() });
    expect((await hear(`${sloUrl(id)}${new URL(redirect).search}`)).status).toBe(404);
  });

  test('by us sends the browser to the provider, signed, and from there to where it wanted to go', async () => {
    const { saml } = await readConnection(tenantId, connectionId);
    idp.knows({ certificate: (saml['spCertificates'] as string[])[0] ?? null, sloUrl: sloUrl() });
    const { browser, tokens } = await signedIn('mine');
    const page = await browser.open(`${auth.url}/session/end?id_token_hint=${tokens['id_token']}`);
    const done = await browser.submit(page, { logout: 'yes' });
    expect(done.text).toContain('You are signed out');
    expect(browser.visited.at(-1)).toContain('/session/end/success');
    expect(idp.logouts.at(-1)).toMatchObject({ kind: 'request', nameId: 'ada', signature: 'holds' });
    // What the provider answered leads on once, and what is made up leads nowhere.
    const { relayState } = idp.logouts.at(-1) ?? {};
    for (const state of [relayState ?? '', 'made-up', '']) {
      const answer = await hear(`${sloUrl()}?${new URLSearchParams({ SAMLResponse: 'x', RelayState: state })}`);
      expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('You are signed out')]);
    }
  });
});
