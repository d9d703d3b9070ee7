// What an administrator sees of an attempt to sign in. Each cause is seeded at a provider that speaks its protocol, and
// has to be named.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Id, type SignInCause, signInCauses, type TenantId } from '@reeve/contracts';
import { eventually, type Lies, newProviderKey, signedBy } from '@reeve/testing';
import { type SamlIdentityProvider, startSamlIdentityProvider, statuses } from '@reeve/testing/saml';
import { type Application, type Auth, callback, startAuth } from '../auth.test-support.ts';

let idp: SamlIdentityProvider;
let auth: Auth;
let as: string;
let tenantId: TenantId;
let application: Application;
let oidc: Id<'connection'>;
let saml: Id<'connection'>;

beforeAll(async () => {
  idp = await startSamlIdentityProvider();
  auth = await startAuth({ REEVE_ALLOWED_PRIVATE_ORIGINS: idp.url });
  as = await auth.asPlatform();
  ({ tenantId } = await auth.newTenant());
  oidc = await auth.newConnection(tenantId);
  saml = await auth.newConnection(tenantId, { kind: 'saml', oidc: undefined, saml: { metadataUrl: idp.metadataUrl } });
  application = await auth.newApplication(tenantId);
}, 60_000);
afterAll(async () => {
  await auth.stop();
  await idp.stop();
});
beforeEach(async () => {
  as = await auth.asPlatform();
  auth.provider.is({ sub: 'ada', email: 'ada@acme.example', email_verified: true });
  auth.provider.lies({});
  auth.provisioning.answers(null);
  idp.is({ nameId: 'ada', attributes: { email: 'ada@acme.example' } });
  idp.signs({ response: true, assertion: true });
  idp.encrypts(null);
  idp.bends({});
});

type Step = { step: string; outcome: string; ms: number; seen: Record<string, unknown> };
type Attempt = {
  id: string;
  outcome: string;
  reason: string | null;
  cause: SignInCause | null;
  meaning: string | null;
  email: string | null;
  userId: string | null;
  steps: Step[];
  text: string;
};

const ask = <T>(path: string, of: TenantId = tenantId) =>
  auth.ask<T>('GET', `/v1/tenants/${of}/sign-in-attempts${path}`, { as });
const list = async (query = '') => (await ask<{ items: Attempt[] }>(query)).body.items;
const newest = async () => (await ask<Attempt>(`/${(await list('?limit=1'))[0]?.id}`)).body;

describe('an attempt that succeeds', () => {
  test('is there with each step, who it was, and how long it took', async () => {
    const { claims } = await auth.signIn(application, { connection: oidc });
    const attempt = await newest();
    expect(attempt).toMatchObject({ outcome: 'succeeded', cause: null, userId: claims.sub, email: 'ada@acme.example' });
    expect(attempt.steps.map(({ step, outcome }) => `${step} ${outcome}`)).toEqual([
      'choose-home-realm done',
      'go-to-provider left',
      'return-from-provider done',
      'resolve-person done',
      'second-factor done',
      'begin-session done',
    ]);
    expect(attempt.steps[0]?.seen).toMatchObject({ rule: 'connection_named' });
    expect(attempt.steps[2]?.seen).toMatchObject({ subject: 'ada', emailVerified: true });
    for (const { ms } of attempt.steps) expect(ms).toBeGreaterThanOrEqual(0);
  });

  test('is under way until the browser comes back', async () => {
    await auth.authorize(application, { connection: oidc, stopAt: auth.provider.issuer });
    expect(await newest()).toMatchObject({ outcome: 'under_way', cause: null });
  });

  test('holds nothing that lets anybody in, in any form', async () => {
    const { page } = await auth.authorize(application, { connection: saml });
    const response = idp.sent.at(-1) ?? '';
    const code = page.url.searchParams.get('code') ?? '';
    const all = JSON.stringify(await newest());
    for (const secret of [code, response.slice(100, 160), idp.asked.at(-1)?.relayState ?? ''])
      expect([secret.length > 10, all.includes(secret)]).toEqual([true, false]);
    await auth.signIn(application, { connection: oidc });
    const state = auth.provider.asked.at(-1)?.get('state')?.split('.')[1] ?? '';
    const kept = JSON.stringify(await newest());
    for (const secret of [state, 'opaque', 'a secret']) expect(kept).not.toContain(secret);
  });
});

describe('attempts', () => {
  test('are found by outcome, cause, connection and address, and by no other tenant', async () => {
    auth.provider.refuses('access_denied');
    await auth.authorize(application, { connection: oidc, login_hint: 'Grace@acme.example' });
    for (const query of [
      '?outcome=failed',
      '?cause=person_cancelled',
      `?connectionId=${oidc}`,
      '?email=GRACE@acme.example',
    ])
      expect([query, (await list(query))[0]?.email]).toEqual([query, 'grace@acme.example']);
    expect(await list('?email=nobody@acme.example')).toEqual([]);
    expect(await list(`?outcome=succeeded&connectionId=${saml}&cause=mfa_needed`)).toEqual([]);
    const { id } = await newest();
    const other = await auth.newTenant();
    expect((await ask(`/${id}`, other.tenantId)).status).toBe(404);
    expect((await ask<{ items: [] }>('', other.tenantId)).body.items).toEqual([]);
    expect((await ask('?cause=nonsense')).status).toBe(400);
  });
});

/** What a provider of OpenID Connect does, and what it is called. */
const refusedWith =
  (error: string, description = '') =>
  () => {
    auth.provider.refuses(error);
    auth.provider.lies({ back: parameters => parameters.set('error_description', description) });
  };
const exchangeRefusedWith =
  (error: string, description = '') =>
  () =>
    lying({
      answers: {
        '/token': (_, response) => {
          response.writeHead(400, { 'content-type': 'application/json' });
          response.end(JSON.stringify({ error, error_description: description }));
        },
      },
    });
const lying = (lies: Lies) => auth.provider.lies(lies);
const said = (change: object) => () => lying({ idToken: (claims, key) => signedBy(key, { ...claims, ...change }) });
const seconds = (from: number) => Math.floor(Date.now() / 1_000) + from;

const byOidc: [SignInCause, () => unknown][] = [
  ['person_cancelled', refusedWith('access_denied')],
  ['consent_missing', refusedWith('access_denied', 'AADSTS65001: The user or administrator has not consented')],
  ['consent_missing', refusedWith('consent_required')],
  ['user_not_assigned', refusedWith('access_denied', 'AADSTS50105: not assigned to a role for the application')],
  ['user_not_assigned', refusedWith('access_denied', 'User is not assigned to the client application.')],
  [
    'wrong_directory',
    refusedWith('invalid_request', 'AADSTS50020: User account from identity provider does not exist'),
  ],
  [
    'application_unknown',
    refusedWith('unauthorized_client', 'AADSTS700016: Application was not found in the directory'),
  ],
  ['conditional_access', refusedWith('access_denied', 'AADSTS53003: Access has been blocked by Conditional Access')],
  ['mfa_needed', refusedWith('interaction_required', 'AADSTS50076: you must use multi-factor authentication')],
  ['login_needed', refusedWith('login_required')],
  ['scope_refused', refusedWith('invalid_scope')],
  ['request_refused', refusedWith('invalid_request')],
  ['redirect_uri_unregistered', refusedWith('invalid_request', 'AADSTS50011: The redirect URI does not match')],
  ['provider_failed', refusedWith('server_error')],
  ['refused_by_provider', refusedWith('something_else')],
  ['client_secret_wrong', exchangeRefusedWith('invalid_client')],
  ['client_secret_wrong', exchangeRefusedWith('invalid_client', 'AADSTS7000215: Invalid client secret provided')],
  [
    'client_secret_expired',
    exchangeRefusedWith('invalid_client', 'AADSTS7000222: The provided client secret keys are expired'),
  ],
  ['application_unknown', exchangeRefusedWith('unauthorized_client', 'AADSTS700016')],
  ['redirect_uri_unregistered', exchangeRefusedWith('invalid_grant', 'redirect_uri did not match')],
  ['code_expired', exchangeRefusedWith('invalid_grant', 'Code not valid')],
  ['key_not_found_there', exchangeRefusedWith('invalid_client', 'AADSTS700027: client assertion failed signature')],
  ['code_exchange', exchangeRefusedWith('odd_error')],
  ['provider_unreachable', () => lying({ answers: { '/token': request => void request.socket.destroy() } })],
  [
    'provider_response',
    () => lying({ answers: { '/token': (_, response) => void response.writeHead(200).end('<html>') } }),
  ],
  ['id_token_missing', () => lying({ idToken: () => undefined })],
  ['audience_wrong', said({ aud: 'another client' })],
  ['issuer_wrong', said({ iss: 'https://other.example' })],
  ['nonce_wrong', said({ nonce: 'another' })],
  ['clock_ahead', said({ exp: seconds(-3_600) })],
  ['clock_behind', said({ iat: seconds(3_600), exp: seconds(7_200) })],
  ['subject_missing', said({ sub: '' })],
  ['id_token_signature', () => lying({ idToken: async claims => signedBy(await newProviderKey(), claims) })],
  ['id_token_type', () => lying({ idToken: (claims, key) => signedBy(key, claims, { typ: 'at+jwt' }) })],
  ['access_token_hash', said({ at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' })],
  ['response_mismatch', () => lying({ back: parameters => parameters.append('code', 'another') })],
  ['identity_conflict', () => auth.provisioning.answers(() => 'identity_conflict')],
  ['identity_unknown', () => auth.provisioning.answers(() => 'identity_unknown')],
  ['user_deactivated', () => auth.provisioning.answers(() => 'user_deactivated')],
];

const bySaml: [SignInCause, () => unknown][] = [
  ['saml_authn_failed', () => idp.refuses()],
  ['saml_request_denied', () => idp.refuses(statuses.responder, 'urn:oasis:names:tc:SAML:2.0:status:RequestDenied')],
  ['saml_no_authn_context', () => idp.refuses(statuses.responder, 'urn:oasis:names:tc:SAML:2.0:status:NoAuthnContext')],
  [
    'saml_name_id_policy',
    () => idp.refuses(statuses.requester, 'urn:oasis:names:tc:SAML:2.0:status:InvalidNameIDPolicy'),
  ],
  [
    'saml_unknown_principal',
    () => idp.refuses(statuses.responder, 'urn:oasis:names:tc:SAML:2.0:status:UnknownPrincipal'),
  ],
  ['saml_request_wrong', () => idp.refuses(statuses.requester, null)],
  ['saml_unsigned', () => idp.signs({ response: false, assertion: false })],
  ['saml_encryption', () => idp.encrypts(idp.certificate())],
  [
    'saml_audience',
    () => idp.bends({ unsigned: xml => xml.replace(/(<saml:Audience>)[^<]*/, '$1https://other.example') }),
  ],
  [
    'saml_destination',
    () => idp.bends({ unsigned: xml => xml.replace(/Destination="[^"]*"/, 'Destination="https://other.example"') }),
  ],
  [
    'saml_destination',
    () => idp.bends({ unsigned: xml => xml.replace(/Recipient="[^"]*"/, 'Recipient="https://other.example"') }),
  ],
  [
    'saml_issuer',
    () => idp.bends({ unsigned: xml => xml.replaceAll(/(<saml:Issuer[^>]*>)[^<]*/g, '$1https://other.example') }),
  ],
  [
    'saml_response_to',
    () => idp.bends({ unsigned: xml => xml.replaceAll(/InResponseTo="[^"]*"/g, 'InResponseTo="_other"') }),
  ],
  [
    'clock_ahead',
    () =>
      idp.bends({ unsigned: xml => xml.replaceAll(/NotOnOrAfter="[^"]*"/g, 'NotOnOrAfter="2020-01-01T00:00:00Z"') }),
  ],
  [
    'clock_behind',
    () => idp.bends({ unsigned: xml => xml.replaceAll(/NotBefore="[^"]*"/g, 'NotBefore="2099-01-01T00:00:00Z"') }),
  ],
  ['saml_malformed', () => idp.bends(xml => xml.replace('<saml:Subject', '<!-- a comment --><saml:Subject'))],
  [
    'subject_missing',
    () => idp.is({ nameId: 'x', nameIdFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient' }),
  ],
  ['saml_conditions', () => idp.bends({ unsigned: xml => xml.replace(/<saml:Conditions.*<\/saml:Conditions>/s, '') })],
  [
    'saml_authentication',
    () => idp.bends({ unsigned: xml => xml.replace(/<saml:AuthnStatement.*<\/saml:AuthnStatement>/s, '') }),
  ],
];

async function failed(connection: string): Promise<Attempt> {
  await auth.authorize(application, { connection });
  return eventually('a failed attempt', async () => {
    const attempt = await newest();
    return attempt.outcome === 'failed' && attempt;
  });
}

describe('the cause is named, with what it means and what to do', () => {
  test.each(byOidc)('%s, by OpenID Connect', async (cause, seed) => {
    seed();
    const attempt = await failed(oidc);
    const [meaning] = signInCauses[cause];
    expect(attempt).toMatchObject({ cause, meaning, outcome: 'failed' });
    expect(attempt.steps.at(-1)?.outcome).toBe('failed');
    expect(attempt.text).toContain(`cause: ${cause}`);
  });

  test.each(bySaml)('%s, by SAML', async (cause, seed) => {
    seed();
    expect(await failed(saml)).toMatchObject({ cause, outcome: 'failed' });
  });

  test('saml_certificate_unknown, with the fingerprints of both', async () => {
    const own = await startSamlIdentityProvider();
    const settings = { entityId: idp.entityId, ssoUrl: idp.ssoUrl, certificates: [own.certificate()] };
    const changed = await auth.newConnection(tenantId, { kind: 'saml', oidc: undefined, name: 'Old', saml: settings });
    const attempt = await failed(changed);
    expect(attempt).toMatchObject({ cause: 'saml_certificate_unknown' });
    expect(attempt.steps.at(-1)?.seen).toMatchObject({ expected: expect.stringMatching(/^[0-9A-F:]{95}$/) });
    await own.stop();
  });

  test('saml_audience, with what was expected and what was found', async () => {
    idp.bends({ unsigned: xml => xml.replace(/(<saml:Audience>)[^<]*/, '$1https://other.example') });
    expect((await failed(saml)).steps.at(-1)?.seen).toEqual({
      expected: `${auth.url}/saml/${saml}/metadata`,
      found: 'https://other.example',
    });
  });

  test('attribute_missing, with the names that there were', async () => {
    const identifier = { type: 'employee_id', attribute: 'employee' };
    const mapped = await auth.newConnection(tenantId, { name: 'Mapped', identifier });
    const attempt = await failed(mapped);
    expect(attempt).toMatchObject({ cause: 'attribute_missing' });
    expect(attempt.steps.at(-1)?.seen).toMatchObject({ expected: 'employee', found: expect.stringContaining('email') });
  });

  test('authentication_too_old', async () => {
    auth.provider.is({ sub: 'ada', auth_time: seconds(-3_600) });
    await auth.authorize(application, { connection: oidc, prompt: 'login' });
    expect(await newest()).toMatchObject({ cause: 'authentication_too_old' });
  });

  test('connection_not_active, where it was deleted meanwhile', async () => {
    const going = await auth.newConnection(tenantId, { name: 'Going' });
    const { browser, page } = await auth.authorize(application, { connection: going, stopAt: auth.provider.issuer });
    await auth.ask('DELETE', `/v1/tenants/${tenantId}/sso-connections/${going}`, { as });
    const left = await fetch(page.url, { redirect: 'manual' });
    await browser.open(left.headers.get('location') ?? '', callback);
    expect(await newest()).toMatchObject({ cause: 'connection_not_active' });
  });

  test('sign_in_expired, where it came to another callback', async () => {
    const { browser, page } = await auth.authorize(application, { connection: oidc, stopAt: auth.provider.issuer });
    const left = await fetch(page.url, { redirect: 'manual' });
    const elsewhere = await auth.newConnection(tenantId, { name: 'Elsewhere' });
    await browser.open((left.headers.get('location') ?? '').replace(oidc, elsewhere), callback);
    expect(await newest()).toMatchObject({ cause: 'sign_in_expired' });
  });
});
