// What is wrong at an identity provider that others wrote, or between it and Reeve, is named as what it is: each cause
// (docs/sign-in-causes.md) by a misconfiguration that makes it. Six more, of signatures, encryption and responses that
// nobody asked for, are in the tests of each peer. No browser with JavaScript is needed for it.
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Keycloak } from '@reeve/local/keycloak';
import { beginSignIn, callback } from '@reeve/local/product-app';
import type { SamlSigner } from '@reeve/local/saml-signer';
import { platformApi } from '@reeve/local/seed';
import { type Browser, createBrowser, formOf, type Page } from '@reeve/testing/browser';
import { eventually } from '@reeve/testing/eventually';
import { given } from '@reeve/testing/given';
import { runningSystem } from '../support/running-system.ts';
import { addOidcClient, type OidcClient } from './keycloak-oidc-client.ts';
import { ada, createRealm, type Person, type Realm } from './keycloak-realm.ts';
import { type Company, type ConnectionSettings, company, serviceProviderMetadata } from './peer-sign-in.ts';
import { lackingKeycloak, lackingSamlSigner, runningPeers } from './running-peers.ts';
import { makeIdp, type Wrongs } from './saml-signer-idp.ts';

const { keycloak, samlSigner } = runningPeers();
const credentials = runningSystem();

/** The cause of the newest sign-in of a company, which is over by now. */
async function causeOf({ api, tenant }: Company): Promise<string | null> {
  const attempts = `${credentials.urls.auth}/v1/tenants/${tenant.id}/sign-in-attempts?limit=1`;
  type Attempts = { items: { outcome: string; cause: string | null }[] };
  let cause: string | null = null;
  await eventually('the attempt is over', async () => {
    const [newest] = (await api.get<Attempts>(attempts)).items;
    cause = newest?.cause ?? null;
    return newest !== undefined && newest.outcome !== 'under_way';
  });
  return cause;
}

/** Goes from the application to wherever the person is asked something, or back to the application. */
async function leave({ app, tenant }: Company, browser: Browser, parameters: Record<string, string> = {}) {
  const { url } = await beginSignIn(app, tenant, parameters);
  return browser.open(url, callback);
}

const inTime = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString().replace(/\.\d+/, '');

given(samlSigner !== null, lackingSamlSigner).describe('pysaml2', () => {
  const bob = { username: 'bob', password: 'a correct horse', attributes: { mail: ['bob@acme.example'] } };
  let own: Company;
  let idp: Awaited<ReturnType<typeof makeIdp>>;

  beforeAll(async () => {
    idp = await makeIdp(samlSigner as SamlSigner, { people: [bob] });
    own = await company(credentials, {
      settings: { kind: 'saml', saml: { metadataUrl: idp.metadataUrl } },
      introduce: async connection => idp.meet(await serviceProviderMetadata(credentials, connection)),
    });
  }, 60_000);

  async function signIn(parameters?: Record<string, string>): Promise<Page> {
    const browser = createBrowser();
    const login = await leave(own, browser, parameters);
    return browser.submit(login, { username: bob.username, password: bob.password }, callback);
  }
  async function causeWhen(wrongs: Wrongs, parameters?: Record<string, string>) {
    await idp.isWrong(wrongs);
    await signIn(parameters);
    return causeOf(own);
  }

  test('that has nothing wrong signs people in', async () => {
    for (const wrongs of [null, { parts: {} }]) {
      await idp.isWrong(wrongs);
      expect((await signIn()).url.href).toContain(`${callback}?code=`);
    }
  });

  const status = (name: string) => `urn:oasis:names:tc:SAML:2.0:status:${name}`;
  test.each([
    ['saml_authn_failed', 'AuthnFailed'],
    ['saml_no_authn_context', 'NoAuthnContext'],
    ['saml_request_denied', 'RequestDenied'],
    ['saml_name_id_policy', 'InvalidNameIDPolicy'],
    ['saml_request_wrong', 'RequestUnsupported'],
    ['saml_unknown_principal', 'UnknownPrincipal'],
    ['login_needed', 'NoPassive'],
    ['refused_by_provider', 'ResourceNotRecognized'],
  ])('%s: it answers with the status %s', async (cause, name) => {
    expect(await causeWhen({ status: status(name) })).toBe(cause);
  });

  const confirmation = 'assertion.subject.subject_confirmation.0.subject_confirmation_data';
  const transient = 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient';
  test.each<[cause: string, what: string, parts: Record<string, string | [] | null>, more?: Record<string, string>]>([
    [
      'saml_audience',
      'another audience',
      { 'assertion.conditions.audience_restriction.0.audience.0.text': 'https://another.example' },
    ],
    ['saml_destination', 'another destination', { destination: 'https://another.example/acs' }],
    ['saml_destination', 'another recipient', { [`${confirmation}.recipient`]: 'https://another.example/acs' }],
    [
      'saml_response_to',
      'another request',
      { in_response_to: '_another', [`${confirmation}.in_response_to`]: '_another' },
    ],
    ['saml_issuer', 'another issuer', { 'assertion.issuer.text': 'https://another.example' }],
    ['saml_subject', 'no subject', { 'assertion.subject': null }],
    ['subject_missing', 'a name that is new each time', { 'assertion.subject.name_id.format': transient }],
    ['saml_authentication', 'nothing of how somebody signed in', { 'assertion.authn_statement': [] }],
    ['saml_conditions', 'no conditions', { 'assertion.conditions': null }],
    ['saml_malformed', 'another version', { version: '1.1' }],
    ['clock_behind', 'a clock that is ahead', { 'assertion.conditions.not_before': inTime(30) }],
    ['clock_ahead', 'a clock that is behind', { 'assertion.conditions.not_on_or_after': inTime(-30) }],
    [
      'authentication_too_old',
      'a sign-in of yesterday',
      { 'assertion.authn_statement.0.authn_instant': inTime(-1_440) },
      { max_age: '3600' },
    ],
  ])('%s: it says %s', async (cause, _, parts, parameters = {}) => {
    expect(await causeWhen({ parts }, parameters)).toBe(cause);
  });

  test('attribute_missing: it does not say by what people are known', async () => {
    await idp.isWrong(null);
    await own.change({ identifier: { type: 'employee_id', attribute: 'employeeNumber', normalize: [] } });
    await signIn();
    expect(await causeOf(own)).toBe('attribute_missing');
    await own.change({ identifier: null });
  });
});

given(keycloak !== null, lackingKeycloak).describe('Keycloak, by OpenID Connect', () => {
  let shared: Realm;
  let adaAtKeycloak: string;

  beforeAll(async () => {
    shared = await createRealm(keycloak as Keycloak);
    adaAtKeycloak = await shared.addPerson(ada);
  }, 60_000);

  type At = { own: Company; known: OidcClient; realm: Realm; browser: Browser };

  async function companyAt(settings: Partial<ConnectionSettings> = {}, realm = shared): Promise<At> {
    const known = await addOidcClient(realm);
    const { clientId, clientSecret } = known;
    const { oidc = { clientSecret }, ...others } = settings;
    const own = await company(credentials, {
      settings: { kind: 'oidc', oidc: { issuer: realm.issuer, clientId, ...(oidc as object) }, ...others },
      introduce: ({ redirectUri }) => known.sendsBackTo(redirectUri),
    });
    return { own, known, realm, browser: createBrowser() };
  }

  /** With somebody of its own, where a setting is for all of it. */
  async function ownRealm(): Promise<Realm> {
    const realm = await createRealm(keycloak as Keycloak);
    await realm.addPerson(ada);
    return realm;
  }

  /** Signs in at Keycloak, and stops where the browser is about to come back to Reeve. */
  async function comeBack({ own, browser }: At, parameters: Record<string, string> = {}, person: Person = ada) {
    const login = await leave(own, browser, parameters);
    const { username, password } = person;
    return browser.submit(login, { username, password }, own.connection.redirectUri);
  }
  async function arrive(at: At, parameters?: Record<string, string>, person?: Person): Promise<Page> {
    const back = await comeBack(at, parameters, person);
    return at.browser.open(back.url, callback);
  }

  test('that has nothing wrong signs people in', async () => {
    expect((await arrive(await companyAt())).url.href).toContain(`${callback}?code=`);
  });

  describe('the client at Keycloak', () => {
    test('client_secret_wrong: has another secret', async () => {
      const at = await companyAt();
      await at.known.newSecret();
      await arrive(at);
      expect(await causeOf(at.own)).toBe('client_secret_wrong');
    });

    test('application_unknown: may not use the code flow', async () => {
      const at = await companyAt();
      await at.known.change({ redirectUris: [at.own.connection.redirectUri], standardFlowEnabled: false });
      await leave(at.own, at.browser);
      expect(await causeOf(at.own)).toBe('application_unknown');
    });

    test('scope_refused: may not ask for a scope', async () => {
      const at = await companyAt();
      await at.own.change({ oidc: { scopes: ['nothing-of-the-kind'] } });
      await leave(at.own, at.browser);
      expect(await causeOf(at.own)).toBe('scope_refused');
    });

    test('id_token_signature: signs by an algorithm that anybody with the secret could sign by', async () => {
      const at = await companyAt();
      const attributes = { 'id.token.signed.response.alg': 'HS256' };
      await at.known.change({ redirectUris: [at.own.connection.redirectUri], attributes });
      await arrive(at);
      expect(await causeOf(at.own)).toBe('id_token_signature');
    });

    test('user_info: gives UserInfo in a form that nobody takes', async () => {
      const at = await companyAt({ attributes: { displayName: 'nickname' } });
      const attributes = { 'user.info.response.signature.alg': 'HS256' };
      await at.known.change({ redirectUris: [at.own.connection.redirectUri], attributes });
      await arrive(at);
      expect(await causeOf(at.own)).toBe('user_info');
    });

    test('key_not_found_there: knows another key than ours', async () => {
      const at = await companyAt({ oidc: { privateKeyJwt: true } });
      const other = await companyAt({ oidc: { privateKeyJwt: true } });
      const by = ({ own }: At) => ({
        redirectUris: [at.own.connection.redirectUri],
        clientAuthenticatorType: 'client-jwt',
        attributes: {
          'use.jwks.url': 'true',
          'jwks.url': `${credentials.issuer}/oidc/${own.connection.id}/jwks`,
          'token.endpoint.auth.signing.alg': 'ES256',
        },
      });
      await at.known.change(by(other));
      await arrive(at);
      expect(await causeOf(at.own)).toBe('key_not_found_there');
      await at.known.change(by(at));
      expect((await arrive({ ...at, browser: createBrowser() })).url.href).toContain(`${callback}?code=`);
    });
  });

  describe('the realm', () => {
    test('issuer_wrong: calls itself something else by now', async () => {
      const at = await companyAt({}, await ownRealm());
      const byAnotherName = (text: string) => text.replace('//localhost', '//127.0.0.1');
      const attributes = { frontendUrl: byAnotherName(String(keycloak?.url)) };
      await at.realm.admin.ask('PUT', '', { attributes });
      const { url } = await beginSignIn(at.own.app, at.own.tenant);
      const left = await at.browser.open(url, at.realm.issuer);
      const login = await at.browser.open(byAnotherName(left.url.href));
      await at.browser.submit(login, { username: ada.username, password: ada.password }, callback);
      expect(await causeOf(at.own)).toBe('issuer_wrong');
    });

    test('code_expired: gives a code that lives shorter than the way back', async () => {
      const at = await companyAt({}, await ownRealm());
      await at.realm.admin.ask('PUT', '', { accessCodeLifespan: 1 });
      const back = await comeBack(at);
      await new Promise(resolve => setTimeout(resolve, 2_500));
      await at.browser.open(back.url, callback);
      expect(await causeOf(at.own)).toBe('code_expired');
    });
  });

  describe('the person', () => {
    const usersOf = ({ own }: At) => `${credentials.urls.provisioning}/v1/tenants/${own.tenant.id}/users`;

    test('person_cancelled: says no', async () => {
      const at = await companyAt();
      await at.known.change({ redirectUris: [at.own.connection.redirectUri], consentRequired: true });
      const consent = await comeBack(at);
      await at.browser.submit(consent, { cancel: 'No' }, callback);
      expect(await causeOf(at.own)).toBe('person_cancelled');
    });

    test('sign_in_expired: comes back in another browser', async () => {
      const at = await companyAt();
      const back = await comeBack(at);
      // Whoever else brings it is told so, and changes nothing of what is known of the sign-in.
      expect((await createBrowser().open(back.url, callback)).text).toContain('sign_in_expired');
      expect((await at.browser.open(back.url, callback)).url.href).toContain(`${callback}?code=`);
    });

    test('identity_unknown: is nobody here, and nobody is made', async () => {
      const at = await companyAt({ jit: { enabled: false } });
      await arrive(at);
      expect(await causeOf(at.own)).toBe('identity_unknown');
    });

    test('identity_conflict: has an address that is somebody else’s here', async () => {
      const at = await companyAt();
      await at.own.api.post(usersOf(at), { email: ada.email });
      await arrive(at);
      expect(await causeOf(at.own)).toBe('identity_conflict');
    });

    test('attribute_missing: lacks what people are known by', async () => {
      const identifier = { type: 'employee_id', attribute: 'employee_number', normalize: [] };
      const at = await companyAt({ identifier });
      await arrive(at);
      expect(await causeOf(at.own)).toBe('attribute_missing');
    });

    test('user_deactivated: was deactivated here', async () => {
      const at = await companyAt();
      await arrive(at);
      const { items } = await at.own.api.get<{ items: { id: string }[] }>(usersOf(at));
      await at.own.api.post(`${usersOf(at)}/${items[0]?.id}:deactivate`);
      await arrive({ ...at, browser: createBrowser() });
      expect(await causeOf(at.own)).toBe('user_deactivated');
    });
  });

  describe('the company, while somebody is at Keycloak,', () => {
    test('connection_not_active: deletes the connection', async () => {
      const at = await companyAt();
      const back = await comeBack(at);
      const { tenant, connection, api } = at.own;
      await api.send('DELETE', `${credentials.urls.auth}/v1/tenants/${tenant.id}/sso-connections/${connection.id}`);
      await at.browser.open(back.url, callback);
      expect(await causeOf(at.own)).toBe('connection_not_active');
    });

    test('tenant_suspended: is suspended', async () => {
      const at = await companyAt();
      const back = await comeBack(at);
      const { tenant } = at.own;
      const headers = { 'Reeve-Reason': 'a test' };
      const suspend = `${credentials.urls.provisioning}/v1/tenants/${tenant.id}:suspend`;
      await platformApi(credentials).post(suspend, {}, { headers });
      const sessions = `${credentials.urls.auth}/v1/tenants/${tenant.id}/sessions`;
      await eventually('auth knows', async () => (await at.own.api.send('GET', sessions)).status === 403);
      const page = await at.browser.open(back.url, callback);
      expect(page.text).toContain('tenant_suspended');
    });
  });

  describe('to link it,', () => {
    /** Another connection of the same company to the same realm, whose people are strangers until they are linked. */
    async function anotherOf({ own, known, realm, ...at }: At): Promise<At> {
      const second = await addOidcClient(realm);
      const { clientId, clientSecret } = second;
      const connections = `${credentials.urls.auth}/v1/tenants/${own.tenant.id}/sso-connections`;
      const settings = { name: 'Another', kind: 'oidc', oidc: { issuer: realm.issuer, clientId, clientSecret } };
      const connection = await own.api.post<Company['connection']>(connections, settings);
      await second.sendsBackTo(connection.redirectUri);
      await own.api.post(`${connections}/${connection.id}:activate`);
      return { own: { ...own, connection }, known, realm, ...at };
    }
    const wanted = ({ own }: At) => ({ connection: own.connection.id, link: 'true' });

    test('link_needs_sign_in: nobody is signed in here', async () => {
      const at = await anotherOf(await companyAt());
      await arrive(at, wanted(at));
      expect(await causeOf(at.own)).toBe('link_needs_sign_in');
    });

    test('link_declined: the person says no', async () => {
      const first = await companyAt();
      await arrive(first, { connection: first.own.connection.id });
      const second = await anotherOf(first);
      const grace: Person = { ...ada, username: `grace-${second.own.tenant.slug}`, email: 'grace@acme.example' };
      await shared.addPerson(grace);
      await shared.admin.ask('POST', `/users/${adaAtKeycloak}/logout`);
      const asked = await arrive(second, wanted(second), grace);
      await first.browser.submit(formOf(asked, '') ?? asked, { link: 'no' }, callback);
      expect(await causeOf(second.own)).toBe('link_declined');
    });
  });
});
