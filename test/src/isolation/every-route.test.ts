// Every door of every service, taken from its own OpenAPI document, which is made of the declarations that serve the
// requests: nobody gets in without a token, with one for another service, with another tenant's, or of a suspended
// tenant. Beside each refusal stands the right caller, who is not refused for that reason. A door of a kind that is not
// known here, or one that is open to strangers and has no line of its own, fails.
import { beforeAll, describe, expect, test } from '@jest/globals';
import { idPrefixes } from '@reeve/contracts';
import { createApi } from '@reeve/local/api';
import { platformApi } from '@reeve/local/seed';
import { eventually } from '@reeve/testing/eventually';
import { logWith } from '../support/audit.ts';
import { signedInAs } from '../support/person.ts';
import { demoUser, freshTenant, runningSystem, type TestTenant } from '../support/running-system.ts';

type Caller = 'bearer' | 'directory' | 'browser' | 'stranger';
type Declared = { 'x-reeve-caller': Caller; 'x-reeve-action'?: string; 'x-reeve-open'?: string };
type Operation = { service: string; name: string; method: string; path: string; caller: Caller; action: string | null };
type Document = { paths: Record<string, Record<string, Declared>> };

const credentials = runningSystem();
const { auth, provisioning, connectorConsent, webhookIngress, audit } = credentials.urls;
const services = { auth, provisioning, connectorConsent, webhookIngress, audit };

const operations: Operation[] = [];
for (const [name, service] of Object.entries(services)) {
  const { paths } = (await (await fetch(`${service}/openapi.json`)).json()) as Document;
  for (const [path, methods] of Object.entries(paths))
    for (const [method, declared] of Object.entries(methods)) {
      const { 'x-reeve-caller': caller, 'x-reeve-action': action = null } = declared;
      operations.push({ service, name, method: method.toUpperCase(), path, caller, action });
    }
}
const of = (caller: Caller) => operations.filter(one => one.caller === caller);
const ofTenants = of('bearer').filter(({ path }) => path.startsWith('/v1/tenants/{tenantId}'));
const ofPeople = of('bearer').filter(({ path }) => path.startsWith('/v1/me/'));
const titled = (list: Operation[]) =>
  list.map(operation => [`${operation.name} ${operation.method} ${operation.path}`, operation] as const);

const someUuid = '00000000-0000-7000-8000-000000000000';
/** Of the right form for what the parameter names, so that a request gets as far as it can. */
function valueFor(parameter: string): string {
  const kind = parameter.replace(/Id$/, '');
  const { evidence, request } = idPrefixes;
  const prefixes = { ...idPrefixes, package: evidence, consentRequest: request };
  const prefix = new Map<string, string>(Object.entries(prefixes)).get(kind);
  return prefix === undefined ? someUuid : `${prefix}_${someUuid}`;
}
const fill = (path: string, tenantId: string) =>
  path.replace('{tenantId}', tenantId).replaceAll(/\{(\w+)\}/g, (_, parameter: string) => valueFor(parameter));

async function call({ service, method, path }: Operation, tenantId: string, token: string | null) {
  const response = await fetch(service + fill(path, tenantId), {
    method,
    redirect: 'manual',
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
  });
  const type = response.headers.get('content-type') ?? '';
  const text = await response.text();
  const code = type.includes('problem+json') ? (JSON.parse(text) as { code: string }).code : undefined;
  return { status: response.status, code, type, text, location: response.headers.get('location') };
}

type Directory = { id: string; token: string };
const newDirectory = ({ api, tenant }: TestTenant) =>
  api.post<Directory>(`${provisioning}/v1/tenants/${tenant.id}/directories`, { name: 'HR' });

let first: TestTenant;
let second: TestTenant;
let suspended: TestTenant;
let shutDirectory: Directory;
const asPerson = (at: TestTenant, resource: string) =>
  signedInAs({ ...at, credentials }, { person: demoUser(credentials), role: 'tenant_member', resource });
/** What ends all of a person's sessions is asked of one who is needed for nothing else. */
const endsAll = ({ path }: Operation) => path.startsWith('/v1/me/sessions:terminate');

/** By service, the access tokens of a person of the first tenant and of one of the suspended tenant. */
const people = new Map<string, { active: string; shut: string }>();

beforeAll(async () => {
  [first, second, suspended] = await Promise.all([
    freshTenant(credentials, 'first'),
    freshTenant(credentials, 'second'),
    freshTenant(credentials, 'suspended'),
  ]);
  shutDirectory = await newDirectory(suspended);
  // Tokens from before: what was true a moment ago.
  for (const service of Object.values(services)) await suspended.api.tokenFor(service);
  for (const service of new Set(ofPeople.map(one => one.service)))
    people.set(service, {
      active: (await asPerson(first, service)).token,
      shut: (await asPerson(suspended, service)).token,
    });
  await platformApi(credentials).post(`${provisioning}/v1/tenants/${suspended.tenant.id}:suspend`);
  // The other services learn of it from the topic, a moment later.
  for (const service of Object.values(services)) {
    const [operation] = ofTenants.filter(one => one.service === service);
    if (!operation) throw new Error(`${service} has no route of a tenant`);
    const token = await suspended.api.tokenFor(service);
    const isClosed = async () => (await call(operation, suspended.tenant.id, token)).code === 'tenant_suspended';
    await eventually(`the suspension at ${service}`, isClosed);
  }
}, 60_000);

test('there are doors to try in every service, and of every kind', () => {
  for (const service of Object.values(services)) expect(ofTenants.some(one => one.service === service)).toBe(true);
  for (const kind of ['bearer', 'directory', 'browser', 'stranger'] as const) expect(of(kind)).not.toEqual([]);
});

test('no door is of a kind that nobody here knows how to attack', () => {
  const kinds = new Set<string>(operations.map(({ caller }) => caller));
  expect(kinds).toEqual(new Set(['bearer', 'directory', 'browser', 'stranger']));
});

describe.each(titled(of('bearer')))('%s', (_, operation) => {
  test('refuses a caller without a token, with a broken one, and with one for another service', async () => {
    const elsewhere = operation.service === audit ? provisioning : audit;
    const invalid = { status: 401, code: 'token_invalid' };
    expect(await call(operation, first.tenant.id, null)).toMatchObject({ status: 401, code: 'token_missing' });
    expect(await call(operation, first.tenant.id, 'eyJhbGciOiJub25lIn0.e30.')).toMatchObject(invalid);
    expect(await call(operation, first.tenant.id, await first.api.tokenFor(elsewhere))).toMatchObject(invalid);
  });
});

describe.each(titled(ofTenants))('%s', (_, operation) => {
  test('is not there for another tenant, by id or by slug, and is for its own', async () => {
    const token = await second.api.tokenFor(operation.service);
    const refused = { status: 404, code: 'not_found' };
    expect(await call(operation, first.tenant.id, token)).toMatchObject(refused);
    expect(await call(operation, first.tenant.slug, token)).toMatchObject(refused);
    // What nobody has is answered alike.
    expect(await call(operation, 'ten_00000000-0000-7000-8000-0000000000ff', token)).toMatchObject(refused);
    const own = await call(operation, first.tenant.id, await first.api.tokenFor(operation.service));
    expect(own.status).not.toBe(401);
    // Only the platform changes tenants: everything else its own tenant may do, whatever then is missing in this empty
    // request.
    expect(own.status === 403).toBe(operation.action === 'tenants:write');
  });

  test('is closed to a suspended tenant, also with a token from before', async () => {
    const token = await suspended.api.tokenFor(operation.service);
    const refused = { status: 403, code: 'tenant_suspended' };
    expect(await call(operation, suspended.tenant.id, token)).toMatchObject(refused);
  });
});

const below = titled(ofTenants).filter(([, { method, path }]) => method === 'GET' && /\{tenantId\}.*\{/.test(path));
const notMissed: Record<string, [status: number, code: string | undefined]> = {
  // Auth does not know who is there, and nobody's sessions are none.
  'auth GET /v1/tenants/{tenantId}/users/{userId}/sessions': [200, undefined],
  'auth GET /v1/tenants/{tenantId}/users/{userId}/application-grants': [200, undefined],
  'auth GET /v1/tenants/{tenantId}/sessions/{sessionId}/logout-notices': [200, undefined],
  // An application can have no surface of that name.
  'auth GET /v1/tenants/{tenantId}/surface-policies/{surface}': [400, 'input_invalid'],
  // An empty request is refused before anything is looked for.
  'audit GET /v1/tenants/{tenantId}/audit/checkpoints/{number}/consistency': [400, 'input_invalid'],
};

test.each(below)('%s: nothing is there, nor below it, for an id that nobody has', async (title, operation) => {
  const { status, code } = await call(operation, first.tenant.id, await first.api.tokenFor(operation.service));
  expect([status, code]).toEqual(notMissed[title] ?? [404, 'not_found']);
});

describe.each(titled(ofPeople))('%s', (_, operation) => {
  test('is for people alone, and closed to those of a suspended tenant', async () => {
    const token = await first.api.tokenFor(operation.service);
    expect(await call(operation, first.tenant.id, token)).toMatchObject({ status: 422, code: 'person_required' });
    const { shut } = people.get(operation.service) ?? {};
    const active = endsAll(operation)
      ? (await asPerson(second, operation.service)).token
      : people.get(operation.service)?.active;
    const refused = { status: 403, code: 'tenant_suspended' };
    expect(await call(operation, suspended.tenant.id, shut ?? null)).toMatchObject(refused);
    // Nothing of theirs is there yet, and an empty request says nothing of what to make.
    expect([200, 400, 404]).toContain((await call(operation, first.tenant.id, active ?? null)).status);
  });
});

describe.each(titled(of('directory')))('%s', (_, operation) => {
  const at = ({ id }: Directory) => ({ ...operation, path: operation.path.replace('{directoryId}', id) });

  test('refuses everybody but its own directory, in the form that directories read', async () => {
    const [own, other] = [await newDirectory(first), await newDirectory(second)];
    for (const token of [null, 'x'.repeat(43), other.token, await first.api.tokenFor(provisioning)]) {
      const refused = await call(at(own), first.tenant.id, token);
      expect([refused.status, refused.type]).toEqual([401, expect.stringContaining('application/scim+json')]);
    }
    expect((await call(at(own), first.tenant.id, own.token)).status).not.toBe(401);
  });

  test('is closed to the directory of a suspended tenant', async () => {
    const refused = await call(at(shutDirectory), suspended.tenant.id, shutDirectory.token);
    expect([refused.status, refused.text]).toEqual([403, expect.stringContaining('is suspended')]);
  });
});

describe.each(titled(of('browser')))('%s', (_, operation) => {
  test('shows and does nothing for a browser that is not signed in, whatever token it brings', async () => {
    for (const token of [null, await first.api.tokenFor(operation.service)]) {
      const { status, type, location } = await call(operation, first.tenant.id, token);
      if (status === 303) expect(location?.startsWith(`${auth}/`)).toBe(true);
      else expect([status >= 400 && status < 500, type]).toEqual([true, expect.stringContaining('text/html')]);
    }
  });
});

/** What everybody may come through: what comes of an empty request there, and why that is all right. */
const open: Record<string, readonly [status: number, what: string]> = {
  'auth GET /.well-known/openid-configuration': [200, 'issuer'],
  'auth GET /.well-known/oauth-authorization-server': [200, 'issuer'],
  'auth GET /.well-known/ssf-configuration': [200, 'issuer'],
  'auth GET /jwks': [200, 'keys'],
  'auth GET /auth': [400, 'client_id'],
  'auth POST /auth': [415, 'content_type_unsupported'],
  'auth GET /auth/{uid}': [400, 'expired'],
  'auth POST /device/auth': [400, 'invalid_request'],
  'auth GET /device': [200, 'Connect a device'],
  'auth POST /device': [302, '/device'],
  'auth GET /device/{uid}': [302, '/device'],
  'auth POST /request': [400, 'invalid_request'],
  'auth POST /token': [400, 'invalid_request'],
  'auth POST /token/introspection': [400, 'invalid_request'],
  'auth POST /token/revocation': [400, 'invalid_request'],
  'auth GET /me': [401, 'no access token'],
  'auth POST /me': [401, 'no access token'],
  'auth GET /session/end': [200, 'session/end/confirm'],
  'auth POST /session/end': [415, 'content_type_unsupported'],
  'auth POST /session/end/confirm': [400, 'could not find logout details'],
  'auth GET /session/end/success': [200, 'You are signed out'],
  'auth GET /interaction/{uid}': [400, 'sign_in_expired'],
  'auth POST /interaction/{uid}': [415, 'content_type_unsupported'],
  'auth GET /interaction/{uid}/leave': [400, 'sign_in_expired'],
  'auth GET /interaction/{uid}/return/{connectionId}': [400, 'sign_in_expired'],
  'auth GET /oidc/{connectionId}/callback': [400, 'sign_in_expired'],
  'auth GET /oidc/{connectionId}/jwks': [404, 'not_found'],
  'auth GET /saml/{connectionId}/metadata': [404, 'not_found'],
  'auth POST /saml/{connectionId}/acs': [415, 'content_type_unsupported'],
  'auth GET /saml/{connectionId}/slo': [404, 'not_found'],
  'auth POST /saml/{connectionId}/slo': [415, 'content_type_unsupported'],
  'auth GET /account/signed-in': [303, '/account'],
  'auth GET /bot/sign-in': [400, 'input_invalid'],
  'auth GET /bot/signed-in': [400, 'input_invalid'],
  'auth POST /bot/signed-in': [415, 'content_type_unsupported'],
  'auth POST /v1/global-token-revocation': [401, 'token_missing'],
  'auth POST /signals/{connectionId}': [404, 'not_found'],
  'auth GET /status-lists/{list}': [404, 'not_found'],
  'auth GET /passkeys.js': [200, 'navigator.credentials'],
  'auth GET /embed/authorize': [400, 'unknown_auth_key'],
  'auth POST /embed/authorize': [415, 'content_type_unsupported'],
  'auth GET /embed/opener.js': [200, 'postMessage'],
  'auth GET /embed/callback': [400, 'sign_in_expired'],
  'auth GET /embed/frame': [400, 'unknown_auth_key'],
  'auth GET /embed/frame.js': [200, 'postMessage'],
  'auth GET /embed/config': [400, 'unknown_auth_key'],
  'auth POST /embed/pick-up': [415, 'content_type_unsupported'],
  'auth POST /embed/failures': [415, 'content_type_unsupported'],
  'auth POST /embed/sign-out': [415, 'content_type_unsupported'],
  'auth GET /embed/reeve.js': [200, 'window.Reeve'],
  'auth GET /embed/reeve/{version}/reeve.js': [404, 'not_found'],
  'auth GET /embed/versions': [200, 'sha384-'],
  'auth GET /embed/help': [200, 'missing_auth_key'],
  'auth GET /setup/{setupLink}': [404, 'setup_link_over'],
  ...Object.fromEntries(
    ['guide', 'settings', 'mapping', 'rehearse', 'test', 'activate', 'contacts', 'rollback'].map(form => [
      `auth POST /setup/{setupLink}/${form}`,
      [404, 'setup_link_over'],
    ]),
  ),
  'auth GET /setup-tests/{testId}/return/{connectionId}': [400, 'sign_in_expired'],
  'connectorConsent GET /sign-in/callback': [400, 'sign_in_expired'],
  'webhookIngress POST /hooks/{endpointId}': [404, 'endpoint_unknown'],
  'audit GET /.well-known/reeve-audit-keys': [200, 'keys'],
};

test('each door that is open to strangers has a line here, and no line is without a door', () => {
  expect(
    titled(of('stranger'))
      .map(([title]) => title)
      .toSorted(),
  ).toEqual(Object.keys(open).toSorted());
});

describe.each(titled(of('stranger')))('%s', (title, operation) => {
  test('gives a stranger what is public and nothing else, and no more to somebody with a token', async () => {
    const [status, what] = open[title] ?? [0, 'unknown'];
    const answer = await call(operation, first.tenant.id, null);
    expect([answer.status, answer.text.includes(what)]).toEqual([status, true]);
    const withToken = await call(operation, first.tenant.id, await first.api.tokenFor(operation.service));
    expect(withToken.text).not.toContain(first.tenant.id);
    expect(withToken.status).toBeLessThan(500);
  });
});

describe('tokens', () => {
  test('a tenant’s client can not get a token for another tenant, nor for the platform', async () => {
    const { tokenFor } = first.api;
    expect(await tokenFor(audit)).toEqual(expect.any(String));
    const created = await first.api.post<{ clientId: string; clientSecret: string }>(
      `${auth}/v1/tenants/${first.tenant.id}/clients`,
      { name: 'greedy' },
    );
    for (const scope of [
      `tenant:${second.tenant.id}`,
      `tenant:${second.tenant.slug}`,
      'platform:admin',
      `tenant:${first.tenant.id} platform:admin`,
    ]) {
      await expect(createApi(credentials, { ...created, scope }).tokenFor(audit)).rejects.toMatchObject({
        status: 400,
        code: 'invalid_scope',
      });
    }
    expect(await createApi(credentials, { ...created, scope: `tenant:${first.tenant.slug}` }).tokenFor(audit)).toEqual(
      expect.any(String),
    );
  });

  test('a resource that is not one of the services is refused', async () => {
    await expect(first.api.tokenFor('https://elsewhere.example')).rejects.toMatchObject({ code: 'invalid_target' });
  });

  test('the platform’s token may be narrowed to one tenant, and then reaches no other', async () => {
    const { clientId, clientSecret } = credentials;
    const narrowed = createApi(credentials, { clientId, clientSecret, scope: `tenant:${first.tenant.id}` });
    expect(await narrowed.get(`${provisioning}/v1/tenants/${first.tenant.id}`)).toMatchObject({ id: first.tenant.id });
    await expect(narrowed.get(`${provisioning}/v1/tenants/${second.tenant.id}`)).rejects.toMatchObject({ status: 404 });
  });

  test('platform access to a tenant is in that tenant’s log, with the stated reason', async () => {
    await platformApi(credentials).get(`${provisioning}/v1/tenants/${first.tenant.id}/users`, {
      headers: { 'Reeve-Reason': 'ticket 4711' },
    });
    const log = await logWith(
      { ...first, credentials },
      found => found.some(({ details }) => details['statedReason'] === 'ticket 4711'),
      'the platform’s access',
    );
    expect(log.find(({ details }) => details['statedReason'] === 'ticket 4711')).toMatchObject({
      type: 'access.platform_used',
      actor: { id: credentials.clientId },
    });
  });
});
