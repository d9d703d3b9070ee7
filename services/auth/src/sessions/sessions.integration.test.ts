// How sessions go on and how they end, with everything that was issued in them.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { event, type Id, newId, type TenantId } from '@reeve/contracts';
import { createBrowser, type EventReader, eventually, readEvents } from '@reeve/testing';
import { decodeJwt } from 'jose';
import { type Application, type Auth, startAuth } from '../auth.test-support.ts';

let auth: Auth;
let events: EventReader;
let tenantId: TenantId;
let application: Application;
const graceMs = 1_500;

beforeAll(async () => {
  auth = await startAuth({ REEVE_REFRESH_GRACE_SECONDS: String(graceMs / 1_000) });
  events = await readEvents('reeve.auth.v1', 'reeve.revocations.v1');
  ({ tenantId } = await auth.newTenant());
  await auth.newConnection(tenantId);
  application = await auth.newApplication(tenantId);
}, 60_000);
afterAll(async () => {
  await events.stop();
  await auth.stop();
});
beforeEach(() => {
  auth.provider.is({ sub: newId('request') });
});

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));
const sessions = () => `/v1/tenants/${tenantId}/sessions`;
const endsOf = (sid: unknown) =>
  events.of(tenantId).filter(({ type, data }) => type === 'session.revoked' && data.target?.id === sid);
const refresh = async (token: string | undefined) => auth.refresh(application, token ?? '');

/** Signed in, with an access token for the auth service itself. */
async function signedIn(as: Application = application) {
  const { claims, tokens, browser } = await auth.signIn(as, { resource: auth.url });
  return {
    browser,
    userId: claims.sub as Id<'user'>,
    sid: String(claims['sid']),
    accessToken: tokens['access_token'] ?? '',
    refreshToken: tokens['refresh_token'] ?? '',
    idToken: tokens['id_token'] ?? '',
  };
}

describe('a session ends when', () => {
  test('it is terminated ten times at once: once', async () => {
    const { sid } = await signedIn();
    const as = await auth.asPlatform();
    await Promise.all(Array.from({ length: 10 }, () => auth.ask('POST', `${sessions()}/${sid}:terminate`, { as })));
    await pause(500);
    expect(endsOf(sid).filter(({ topic }) => topic === 'reeve.auth.v1')).toHaveLength(1);
  });

  test('the identity provider has said so (`session_expiry`), and no access token of it goes on longer', async () => {
    const lifetimeOf = async (claims: object) => {
      auth.provider.is({ sub: newId('request'), ...claims });
      const { tokens } = await auth.signIn(application, { resource: auth.url });
      const again = await refresh(tokens['refresh_token']);
      return [tokens, again.body].map(one => {
        const { iat = 0, exp = 0 } = decodeJwt(one['access_token'] ?? '');
        return { seconds: exp - iat, exp };
      });
    };
    const endsAt = Math.floor(Date.now() / 1_000) + 60;
    for (const { exp } of await lifetimeOf({ session_expiry: endsAt })) expect(exp).toBeLessThanOrEqual(endsAt);
    for (const { seconds } of await lifetimeOf({})) expect(seconds).toBe(300);
  });

  test('and the same browser can sign in anew, to a session of its own', async () => {
    const first = await signedIn();
    await auth.ask('POST', `${sessions()}/${first.sid}:terminate`, { as: await auth.asPlatform() });
    const second = await auth.signIn(application, { browser: first.browser });
    expect(second.claims['sid']).not.toBe(first.sid);
    expect((await refresh(second.tokens['refresh_token'])).status).toBe(200);
    expect((await refresh(first.refreshToken)).status).toBe(400);
  });
});

describe('a person', () => {
  test('sees and ends their own sessions and nobody else’s', async () => {
    const ada = await signedIn();
    auth.provider.is({ sub: newId('request') });
    const eve = await signedIn();
    const { body } = await auth.ask<{ items: { id: string }[] }>('GET', '/v1/me/sessions', { as: ada.accessToken });
    expect(body.items.map(({ id }) => id)).toEqual([ada.sid]);
    const theft = await auth.ask('POST', `/v1/me/sessions/${eve.sid}:terminate`, { as: ada.accessToken });
    expect(theft).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect((await refresh(eve.refreshToken)).status).toBe(200);
  });

  test('is asked about by themselves and by an administrator, and by nobody else', async () => {
    const ada = await signedIn();
    auth.provider.is({ sub: newId('request') });
    const eve = await signedIn();
    auth.provisioning.answers(({ subject }) => ({
      userId: userIdOf(subject),
      email: null,
      displayName: null,
      roles: ['tenant_admin'],
      created: false,
    }));
    auth.provider.is({ sub: newId('request') });
    const admin = await signedIn();
    auth.provisioning.answers(null);
    const ask = async (as: string) => {
      const path = `/v1/tenants/${tenantId}/users/${ada.userId}/sessions`;
      const { status, body } = await auth.ask<{ items?: { id: string }[] }>('GET', path, { as });
      return [status, body.items?.map(({ id }) => id)];
    };
    expect(await ask(ada.accessToken)).toEqual([200, [ada.sid]]);
    expect(await ask(admin.accessToken)).toEqual([200, [ada.sid]]);
    expect(await ask(eve.accessToken)).toEqual([403, undefined]);
  });

  test.each(['terminate', 'terminate-others'])(
    'who ends all their sessions (%s) ends the one that somebody is on the way to, and can sign in anew',
    async command => {
      const who = { sub: newId('request') };
      auth.provider.is(who);
      const { userId, accessToken: as, refreshToken, sid } = await signedIn();
      auth.provisioning.answers(async () => {
        expect((await auth.ask('POST', `/v1/me/sessions:${command}`, { as })).status).toBe(200);
        return { userId, email: null, displayName: null, roles: [], created: false };
      });
      const { page } = await auth.authorize(application);
      auth.provisioning.answers(null);
      expect([page.url.origin, page.status]).toEqual([auth.url, 400]);
      expect((await refresh(refreshToken)).status).toBe(command === 'terminate' ? 400 : 200);
      expect((await signedIn()).sid).not.toBe(sid);
    },
  );

  test('whose sessions an administrator ends does not escape by a sign-in that is on its way', async () => {
    const { userId } = await signedIn();
    auth.provisioning.answers(async () => {
      const path = `/v1/tenants/${tenantId}/users/${userId}/sessions:terminate`;
      expect(await auth.ask('POST', path, { as: await auth.asPlatform() })).toMatchObject({
        status: 200,
        body: { ended: 1 },
      });
      return { userId, email: null, displayName: null, roles: [], created: false };
    });
    const { page } = await auth.authorize(application);
    auth.provisioning.answers(null);
    expect([page.url.origin, page.status]).toEqual([auth.url, 400]);
  });

  test('who is no administrator sees no sessions of the tenant', async () => {
    const { accessToken: as } = await signedIn();
    expect(await auth.ask('GET', sessions(), { as })).toMatchObject({ status: 403, body: { code: 'access_denied' } });
  });
});

describe('the cookie of a browser', () => {
  test('is another one after each sign-in, and the one before leads nowhere', async () => {
    const { browser, sid } = await signedIn();
    const cookies = () => browser.jar.getCookieString(`${auth.url}/`);
    const before = await cookies();
    const copied = async (cookie: string) => {
      const { url } = auth.authorizationUrl(application, { prompt: 'none' });
      const answer = await fetch(url, { redirect: 'manual', headers: { cookie } });
      return new URL(answer.headers.get('location') ?? '').searchParams.has('code');
    };
    expect(await copied(before)).toBe(true);
    const again = await auth.signIn(application, { browser, prompt: 'login' });
    expect(again.claims['sid']).toBe(sid);
    expect([await copied(before), await copied(await cookies())]).toEqual([false, true]);
  });
});

describe('what is unusual', () => {
  const risk = async (sid: unknown) => {
    const { body } = await auth.ask<{ risk: object; description: string }>('GET', `${sessions()}/${String(sid)}`, {
      as: await auth.asPlatform(),
    });
    return body.risk;
  };
  const [firefox, chrome] = [
    'Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0',
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36',
  ];
  const from = async (userAgent: string) =>
    (await auth.signIn(application, { browser: createBrowser({ userAgent }) })).claims;

  test('at a sign-in is said of its session, and on the record; of the first nothing is', async () => {
    const usual = { level: 'low', signs: [] };
    expect(await risk((await from(firefox))['sid'])).toEqual(usual);
    expect(await risk((await from(firefox.replaceAll('150', '151')))['sid'])).toEqual(usual);
    const elsewhere = await from(chrome);
    expect(await risk(elsewhere['sid'])).toEqual({ level: 'medium', signs: ['new_device'] });
    const created = await events.seen(tenantId, 'session.created', String(elsewhere['sid']));
    expect(created.data).toMatchObject({ details: { riskSigns: ['new_device'] } });
    expect(await risk((await from(chrome))['sid'])).toEqual(usual);
    auth.provider.is({ sub: newId('request') });
    expect(await risk((await from(chrome))['sid'])).toEqual(usual);
  });
});

describe('the roles of a session', () => {
  test('are those that the person has now: a refresh does not bring back what was taken', async () => {
    const roles = ['tenant_admin'];
    auth.provisioning.answers(({ subject }) => ({
      userId: userIdOf(subject),
      email: null,
      displayName: null,
      roles,
      created: false,
    }));
    const admin = await signedIn();
    auth.provisioning.answers(null);
    const rolesAfterRefresh = async (token: string) => {
      const { body } = await auth.token(application, {
        grant_type: 'refresh_token',
        refresh_token: token,
        resource: auth.url,
      });
      return { roles: decodeJwt(body['access_token'] ?? '')['roles'], next: body['refresh_token'] ?? '' };
    };
    const before = await rolesAfterRefresh(admin.refreshToken);
    expect(before.roles).toEqual(['tenant_admin']);
    const details = { userId: admin.userId, role: 'tenant_admin' };
    await auth.announce(tenantId, event('role.unassigned', { id: admin.userId, because: 'requested', details }));
    let { next } = before;
    await eventually('the roles are others', async () => {
      const now = await rolesAfterRefresh(next);
      next = now.next;
      return JSON.stringify(now.roles) === '[]';
    });
  });
});

describe('a refresh token', () => {
  test('is followed by another, which counts as long as the session does', async () => {
    let { refreshToken } = await signedIn();
    for (let round = 0; round < 3; round += 1) {
      const { status, body } = await refresh(refreshToken);
      expect(status).toBe(200);
      expect(body['refresh_token']).not.toBe(refreshToken);
      refreshToken = body['refresh_token'] ?? '';
    }
  });

  test('that is used by ten tabs at once gives all of them the same successor, and nobody is signed out', async () => {
    const { refreshToken } = await signedIn();
    const all = await Promise.all(Array.from({ length: 10 }, () => refresh(refreshToken)));
    expect(all.map(({ status }) => status)).toEqual(all.map(() => 200));
    expect(new Set(all.map(({ body }) => body['refresh_token'])).size).toBe(1);
    expect((await refresh(all[0]?.body['refresh_token'])).status).toBe(200);
  });

  test('that comes again later than that is known to two: its family ends, and it is on the record', async () => {
    const { refreshToken, sid } = await signedIn();
    const successor = (await refresh(refreshToken)).body['refresh_token'];
    await pause(graceMs + 200);
    expect(await refresh(refreshToken)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect((await events.seen(tenantId, 'token.reuse_detected', sid)).data).toMatchObject({ outcome: 'denied' });
    expect((await refresh(successor)).status).toBe(400);
  });

  test('whose family ends takes along its access tokens, and none of another family of the session', async () => {
    const { refreshToken, accessToken, browser, sid } = await signedIn();
    const isGood = async (as = '') => (await auth.ask('GET', '/v1/me/sessions', { as })).status === 200;
    const { body } = await refresh(refreshToken);
    const other = await auth.signIn(application, { browser, resource: auth.url });
    expect(other.claims['sid']).toBe(sid);
    expect([await isGood(accessToken), await isGood(body['access_token'])]).toEqual([true, true]);
    await pause(graceMs + 200);
    expect((await refresh(refreshToken)).status).toBe(400);
    const began = Date.now();
    await eventually(
      'both are refused',
      async () => !(await isGood(accessToken)) && !(await isGood(body['access_token'])),
    );
    expect(Date.now() - began).toBeLessThan(1_000);
    expect(await isGood(other.tokens['access_token'])).toBe(true);
  });

  test('of two generations before gets its own successor once more, and a moment later ends the family', async () => {
    const { refreshToken } = await signedIn();
    const second = (await refresh(refreshToken)).body['refresh_token'];
    const third = (await refresh(second)).body['refresh_token'];
    const again = await refresh(refreshToken);
    expect([again.status, again.body['refresh_token']]).toEqual([200, second]);
    await pause(graceMs + 200);
    expect((await refresh(refreshToken)).status).toBe(400);
    expect((await refresh(third)).status).toBe(400);
  });

  test('is good for its own client alone, and cannot be made from another', async () => {
    const { refreshToken } = await signedIn();
    const other = await auth.newApplication(tenantId);
    expect((await auth.refresh(other, refreshToken)).status).toBe(400);
    const [ten, ses, random, generation, mac] = refreshToken.split('~');
    for (const forged of [
      [ten, ses, random, Number(generation) + 1, mac].join('~'),
      [ten, ses, random, generation, 'A'.repeat(43)].join('~'),
      [ten, ses, `${random}x`, generation, mac].join('~'),
      `${refreshToken}=`,
      [ten, ses, random, `0${generation}`, mac].join('~'),
    ])
      expect((await refresh(forged)).status).toBe(400);
    expect((await refresh(refreshToken)).status).toBe(200);
  });
});

describe('a code', () => {
  test('is good once: who comes second ends what the first one got', async () => {
    const { code, verifier } = await auth.authorize(application);
    const redeem = () =>
      auth.token(application, {
        grant_type: 'authorization_code',
        code: code ?? '',
        redirect_uri: 'http://localhost:5999/callback',
        code_verifier: verifier,
      });
    const first = await redeem();
    expect(first.status).toBe(200);
    expect(await redeem()).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect((await refresh(first.body['refresh_token'])).status).toBe(400);
  });

  test('is good for one of ten who come at once', async () => {
    const { code, verifier } = await auth.authorize(application);
    const all = await Promise.all(
      Array.from({ length: 10 }, () =>
        auth.token(application, {
          grant_type: 'authorization_code',
          code: code ?? '',
          redirect_uri: 'http://localhost:5999/callback',
          code_verifier: verifier,
        }),
      ),
    );
    expect(all.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
  });

  test('of a session that has ended in between is good for nothing', async () => {
    const { code, verifier, browser } = await auth.authorize(application);
    await browser.submit(await browser.open(`${auth.url}/session/end`), { logout: 'yes' });
    const late = await auth.token(application, {
      grant_type: 'authorization_code',
      code: code ?? '',
      redirect_uri: 'http://localhost:5999/callback',
      code_verifier: verifier,
    });
    expect(late).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect(createBrowser()).toBeDefined();
  });
});

const users = new Map<string, string>();
function userIdOf(subject: string): string {
  const known = users.get(subject) ?? newId('user');
  users.set(subject, known);
  return known;
}
