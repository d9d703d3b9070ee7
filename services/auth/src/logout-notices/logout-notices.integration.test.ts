// Back-channel logout: whichever way a session ends, the servers of the applications that a person went to in it hear
// of it, again where they have not, and nobody else does.
import { createServer } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newId, type TenantId } from '@reeve/contracts';
import { eventually, listen } from '@reeve/testing';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { type Application, type Auth, startAuth } from '../auth.test-support.ts';

type Came = { path: string; type: string | undefined; token: string };

let auth: Auth;
let tenantId: TenantId;
let server: Awaited<ReturnType<typeof listen>>;
const came: Came[] = [];
/** By path, what the server answers with; 200 for the others. */
const answers = new Map<string, () => number>();
/** Paths whose answers have no end. */
const talkative = new Set<string>();

beforeAll(async () => {
  server = await listen(
    createServer((request, response) => {
      let text = '';
      request.on('data', chunk => {
        text += String(chunk);
      });
      request.on('end', () => {
        const path = request.url ?? '';
        const token = new URLSearchParams(text).get('logout_token') ?? '';
        came.push({ path, type: request.headers['content-type'], token });
        response.writeHead(answers.get(path)?.() ?? 200, { location: `${server.url}/elsewhere` });
        if (talkative.has(path)) response.write('it goes on');
        else response.end();
      });
    }),
  );
  auth = await startAuth({ REEVE_ALLOWED_PRIVATE_ORIGINS: server.url });
  ({ tenantId } = await auth.newTenant());
  await auth.newConnection(tenantId);
}, 60_000);
afterAll(async () => {
  await auth.stop();
  await server.stop();
});
beforeEach(() => {
  auth.provider.is({ sub: newId('request') });
});

const newPath = () => `/${newId('request')}`;
const application = (path: string, of: TenantId | null = tenantId) =>
  auth.newApplication(of, { backchannelLogoutUri: `${server.url}${path}` });
const at = (path: string) => came.filter(one => one.path === path);
const terminate = async (sid: unknown) =>
  auth.ask('POST', `/v1/tenants/${tenantId}/sessions/${sid}:terminate`, { as: await auth.asPlatform() });
const noticesOf = async (sid: unknown) => {
  const path = `/v1/tenants/${tenantId}/sessions/${sid}/logout-notices`;
  const { body } = await auth.ask<{ items: { clientId: string; status: string; attempts: number }[] }>('GET', path, {
    as: await auth.asPlatform(),
  });
  return body.items;
};
const quiet = (ms = 700) => new Promise(resolve => setTimeout(resolve, ms));

describe('the server of an application', () => {
  test('hears that a session has ended, by a token that is its own and no ID token', async () => {
    const path = newPath();
    const client = await application(path);
    const { claims } = await auth.signIn(client);
    await terminate(claims['sid']);
    await eventually('the logout token', () => at(path).length > 0);
    const [first] = at(path);
    expect(first?.type).toBe('application/x-www-form-urlencoded');
    const keys = createRemoteJWKSet(new URL(`${auth.url}/jwks`));
    const { payload } = await jwtVerify(first?.token ?? '', keys, {
      issuer: auth.url,
      audience: client.id,
      typ: 'logout+jwt',
      algorithms: ['RS256'],
      requiredClaims: ['iat', 'exp', 'jti'],
    });
    expect(payload).toMatchObject({
      sub: claims.sub,
      sid: claims['sid'],
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    });
    expect(payload).not.toHaveProperty('nonce');
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBeLessThanOrEqual(120);
    await quiet();
    expect(at(path)).toHaveLength(1);
    expect(await noticesOf(claims['sid'])).toMatchObject([{ clientId: client.id, status: 'delivered', attempts: 1 }]);
  });

  test('is one of all that the person went to in that session, and of no other session', async () => {
    const paths = [newPath(), newPath(), newPath()] as const;
    const [first, second, other] = await Promise.all(paths.map(path => application(path)));
    const silent = await auth.newApplication(tenantId);
    const one = await auth.signIn(first as Application);
    await auth.signIn(second as Application, { browser: one.browser });
    await auth.signIn(silent, { browser: one.browser });
    const elsewhere = await auth.signIn(other as Application);
    expect(elsewhere.claims.sub).toBe(one.claims.sub);
    await terminate(one.claims['sid']);
    await eventually('both', () => at(paths[0]).length > 0 && at(paths[1]).length > 0);
    await quiet();
    expect(paths.map(path => at(path).length)).toEqual([1, 1, 0]);
    const audiences = [paths[0], paths[1]].map(path => decodeJwt(at(path)[0]?.token ?? '').aud);
    expect(audiences).toEqual([first?.id, second?.id]);
  });

  test('hears it when the person signs out themselves', async () => {
    const path = newPath();
    const { browser, claims } = await auth.signIn(await application(path));
    await browser.submit(await browser.open(`${auth.url}/session/end`), { logout: 'yes' });
    await eventually('the logout token', () => at(path).length > 0);
    await quiet();
    expect(at(path).map(({ token }) => decodeJwt(token)['sid'])).toEqual([claims['sid']]);
  });

  test('that fails hears it again, by a token of its own each time', async () => {
    const path = newPath();
    let left = 2;
    answers.set(path, () => (left-- > 0 ? 503 : 204));
    const { claims } = await auth.signIn(await application(path));
    await terminate(claims['sid']);
    await eventually('the third attempt', () => at(path).length === 3, 20_000);
    expect(new Set(at(path).map(({ token }) => decodeJwt(token).jti)).size).toBe(3);
    await eventually('it is delivered', async () => (await noticesOf(claims['sid']))[0]?.status === 'delivered');
  });

  test('has heard it once it says so, however long it goes on talking', async () => {
    const path = newPath();
    talkative.add(path);
    const { claims } = await auth.signIn(await application(path));
    await terminate(claims['sid']);
    await eventually('it is delivered', async () => (await noticesOf(claims['sid']))[0]?.status === 'delivered', 4_000);
    expect(at(path)).toHaveLength(1);
  });

  test('that redirects is not followed', async () => {
    const path = newPath();
    answers.set(path, () => 307);
    const { claims } = await auth.signIn(await application(path));
    await terminate(claims['sid']);
    await eventually('it was tried', () => at(path).length > 0);
    await eventually('it is owed', async () => (await noticesOf(claims['sid']))[0]?.attempts === 1);
    expect(at('/elsewhere')).toEqual([]);
  });

  test('of an application that was deleted is told nothing', async () => {
    const path = newPath();
    answers.set(path, () => 500);
    const client = await application(path);
    const { claims } = await auth.signIn(client);
    const as = await auth.asPlatform();
    await auth.ask('DELETE', `/v1/tenants/${tenantId}/applications/${client.id}`, { as });
    await terminate(claims['sid']);
    await quiet();
    expect([at(path), await noticesOf(claims['sid'])]).toEqual([[], []]);
  });
});

describe('whoever', () => {
  test('is an administrator of another tenant sees no notice of it', async () => {
    const path = newPath();
    const { claims } = await auth.signIn(await application(path));
    await terminate(claims['sid']);
    await eventually('delivered', async () => (await noticesOf(claims['sid']))[0]?.status === 'delivered');
    const other = await auth.newTenant();
    const list = `/v1/tenants/${other.tenantId}/sessions/${claims['sid']}/logout-notices`;
    const { body } = await auth.ask<{ items: object[] }>('GET', list, { as: await auth.asPlatform() });
    expect(body.items).toEqual([]);
  });

  test('registers an address inside the network has it called by nobody', async () => {
    let called = 0;
    const inside = await listen(createServer((_, response) => void response.writeHead(200).end(String((called += 1)))));
    const uri = inside.url.replace('127.0.0.1', 'localhost');
    const client = await auth.newApplication(tenantId, { backchannelLogoutUri: `${uri}/logout` });
    const { claims } = await auth.signIn(client);
    await terminate(claims['sid']);
    await eventually('it was refused', async () => (await noticesOf(claims['sid']))[0]?.attempts === 1);
    expect(await noticesOf(claims['sid'])).toMatchObject([{ status: 'owed', lastFailure: 'url_refused' }]);
    expect(called).toBe(0);
    await inside.stop();
  });

  test.each([
    ['a page without a server', { kind: 'single_page', authentication: { method: 'none' } }],
    ['an installed application', { kind: 'native', authentication: { method: 'none' } }],
  ])('registers it for %s is told that there is no server', async (_, settings) => {
    const { status, body } = await auth.ask('POST', `/v1/tenants/${tenantId}/applications`, {
      as: await auth.asPlatform(),
      body: {
        name: 'One',
        redirectUris: ['https://app.example/callback'],
        backchannelLogoutUri: 'https://app.example/logout',
        ...settings,
      },
    });
    expect([status, body]).toMatchObject([400, { errors: [{ field: 'backchannelLogoutUri' }] }]);
  });
});
