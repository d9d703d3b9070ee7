// Every way in which a session can end, walked one by one (docs/sessions.md): each is on the record once, takes the
// refresh tokens and the access tokens with it, is told to the application's server, and leaves a cookie that leads
// nowhere (lesson L3). A way that is not here does not compile.
import { createServer } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { event, type Id, newEventId, newId, type ReasonOf, serviceCause, type TenantId } from '@reeve/contracts';
import { openStore, type Store } from '@reeve/store';
import {
  type Browser,
  type EventReader,
  eventually,
  listen,
  type ProviderKey,
  readEvents,
  signedBy,
} from '@reeve/testing';
import { type SamlIdentityProvider, startSamlIdentityProvider } from '@reeve/testing/saml';
import { decodeJwt } from 'jose';
import { type Application, type Auth, startAuth } from '../auth.test-support.ts';
import { contents } from '../contents.ts';
import { type EndCause, type Session, sessions } from './session.ts';

let auth: Auth;
let idp: SamlIdentityProvider;
let store: Store;
let events: EventReader;
let tenantId: TenantId;
let bySaml: Id<'connection'>;
let application: Application;
let key: ProviderKey;
let server: Awaited<ReturnType<typeof listen>>;
const notices: string[] = [];

beforeAll(async () => {
  server = await listen(
    createServer((request, response) => {
      let text = '';
      request.on('data', chunk => {
        text += String(chunk);
      });
      request.on('end', () => {
        notices.push(new URLSearchParams(text).get('logout_token') ?? '');
        response.end();
      });
    }),
  );
  idp = await startSamlIdentityProvider();
  auth = await startAuth({ REEVE_ALLOWED_PRIVATE_ORIGINS: `${server.url},${idp.url}` });
  key = await auth.provider.changesItsKeys();
  const { MONGODB_URI: uri, MONGODB_DATABASE: database } = auth.config;
  store = openStore({ uri, database, source: '/test', contents, onError: () => {} });
  events = await readEvents('reeve.auth.v1');
  ({ tenantId } = await auth.newTenant());
  await auth.newConnection(tenantId);
  const saml = { metadataUrl: idp.metadataUrl };
  bySaml = await auth.newConnection(tenantId, { kind: 'saml', oidc: undefined, saml });
  application = await auth.newApplication(tenantId, { surface: 'console', backchannelLogoutUri: server.url });
}, 60_000);
afterAll(async () => {
  await events.stop();
  await store.close();
  await auth.stop();
  await Promise.all([idp.stop(), server.stop()]);
});
beforeEach(() => {
  auth.provider.is({ sub: newId('request') });
});

type SignedIn = {
  browser: Browser;
  sid: string;
  userId: Id<'user'>;
  connectionId: string;
  accessToken: string;
  refreshToken: string;
};
type Way = {
  /** Where it is not by the usual connection. */
  by?: () => Id<'connection'>;
  end: (one: SignedIn) => Promise<unknown>;
  /** Somebody is signed in at that browser afterwards. */
  leavesAnother?: true;
};

const asPlatform = () => auth.asPlatform();
const post = async (path: string) => auth.ask('POST', path, { as: await asPlatform() });
const now = () => Math.floor(Date.now() / 1_000);
const signedByProvider = (claims: object, type: string) =>
  signedBy(key, { iss: auth.provider.issuer, jti: newEventId(), iat: now(), ...claims }, { typ: `${type}+jwt` });
const ago = (seconds: number) => new Date(Date.now() - seconds * 1_000).toISOString();

/** As if that had been so all the time. */
async function rewrite(sid: string, change: Partial<Session>): Promise<void> {
  const cause = serviceCause('auth', { correlationId: newEventId() });
  const decide = (session: Session | null) => session && { state: { ...session, ...change }, events: [] };
  await store.collection(sessions).in(tenantId).change(sid, decide, { cause });
}

const ways: Record<EndCause | ReasonOf<'session.expired'>, Way> = {
  terminated: { end: ({ sid }) => post(`/v1/tenants/${tenantId}/sessions/${sid}:terminate`) },
  ended_by_owner: {
    end: ({ sid, accessToken: as }) => auth.ask('POST', `/v1/me/sessions/${sid}:terminate`, { as }),
  },
  signed_out: {
    end: async ({ browser }) => browser.submit(await browser.open(`${auth.url}/session/end`), { logout: 'yes' }),
  },
  another_person: {
    leavesAnother: true,
    end({ browser }) {
      auth.provider.is({ sub: newId('request') });
      return auth.signIn(application, { browser, prompt: 'login', connection: usual });
    },
  },
  provider_logout: {
    by: () => bySaml,
    async end() {
      const destination = `${auth.url}/saml/${bySaml}/slo`;
      const { redirect } = idp.logoutRequest({ nameId: 'ada', sessionIndex: 'one', destination });
      await fetch(redirect, { redirect: 'manual' });
    },
  },
  global_token_revocation: {
    async end({ userId: id }) {
      const path = '/v1/global-token-revocation';
      const token = await signedByProvider({ sub: 'reeve', aud: auth.url + path, exp: now() + 60 }, path.slice(4));
      const body = { sub_id: { format: 'opaque', id } };
      await auth.ask('POST', path, { as: token, body });
    },
  },
  provider_signal: {
    async end({ userId: id, connectionId }) {
      const events = { 'https://schemas.openid.net/secevent/caep/event-type/session-revoked': {} };
      const claims = { aud: 'reeve', sub_id: { format: 'opaque', id }, events };
      const headers = { 'content-type': 'application/secevent+jwt' };
      const body = await signedByProvider(claims, 'secevent');
      await fetch(`${auth.url}/signals/${connectionId}`, { method: 'POST', headers, body });
    },
  },
  identity_unlinked: {
    end: ({ userId, connectionId }) =>
      auth.announce(
        tenantId,
        event('identity.unlinked', {
          id: 'an identity',
          because: 'requested',
          details: { userId, connectionId, issuer: auth.provider.issuer },
        }),
      ),
  },
  device_changed: {
    async end({ sid, browser }) {
      await rewrite(sid, { userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0' });
      await auth.authorize(application, { browser, prompt: 'none' });
    },
  },
  user_deactivated: {
    end: ({ userId: id }) =>
      auth.announce(
        tenantId,
        event('user.deactivated', {
          id,
          because: 'requested',
          details: { email: null, source: 'admin', cause: 'requested' },
        }),
      ),
  },
  user_deleted: {
    end: ({ userId: id }) =>
      auth.announce(
        tenantId,
        event('user.deleted', { id, because: 'requested', details: { email: null, source: 'admin' } }),
      ),
  },
  user_transferred: {
    end: ({ userId: id }) => auth.announce(tenantId, event('user.transferred', { id, because: 'requested' })),
  },
  idle: { end: ({ sid }) => rewrite(sid, { lastSeenAt: ago(1_801), overAt: ago(1) }) },
  expired: { end: ({ sid }) => rewrite(sid, { expiresAt: ago(1) }) },
};

let usual: string;

async function signedIn({ by }: Way): Promise<SignedIn> {
  idp.is({ nameId: 'ada', attributes: { email: 'ada@acme.example' }, sessionIndex: 'one' });
  const { body } = await auth.ask<{ items: { id: string; kind: string }[] }>(
    'GET',
    `/v1/tenants/${tenantId}/sso-connections`,
    { as: await asPlatform() },
  );
  usual = body.items.find(({ kind }) => kind === 'oidc')?.id ?? '';
  const connectionId = by?.() ?? usual;
  const { claims, tokens, browser } = await auth.signIn(application, { resource: auth.url, connection: connectionId });
  return {
    browser,
    sid: String(claims['sid']),
    userId: claims.sub as Id<'user'>,
    connectionId,
    accessToken: tokens['access_token'] ?? '',
    refreshToken: tokens['refresh_token'] ?? '',
  };
}

async function introspected(token: string): Promise<boolean> {
  const response = await fetch(`${auth.url}/token/introspection`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${application.id}:${application.secret}`)}` },
    body: new URLSearchParams({ token }),
  });
  return ((await response.json()) as { active: boolean }).active;
}

const endsOf = (sid: string) =>
  events
    .of(tenantId)
    .filter(({ type, data }) => ['session.revoked', 'session.expired'].includes(type) && data.target.id === sid)
    .map(({ data }) => data.reason.code);
const noticesOf = (sid: string) => notices.filter(token => decodeJwt(token)['sid'] === sid);

/** What of a session still works: the refresh token for whoever asks, the access token, the browser's cookie. */
async function works({ refreshToken, accessToken, browser }: SignedIn) {
  return {
    refreshToken: await introspected(refreshToken),
    accessToken: (await auth.ask('GET', '/v1/me/sessions', { as: accessToken })).status === 200,
    cookie: (await auth.authorize(application, { browser, prompt: 'none' })).code !== null,
  };
}

describe('a session ends, once and everywhere:', () => {
  test.each(Object.entries(ways))('%s', async (reason, way) => {
    const one = await signedIn(way);
    expect(await works(one)).toEqual({ refreshToken: true, accessToken: true, cookie: true });
    await way.end(one);
    await eventually('its end', () => endsOf(one.sid).length > 0, 15_000);
    await eventually('the application is told', () => noticesOf(one.sid).length > 0);
    const cookie = way.leavesAnother === true;
    expect(await works(one)).toEqual({ refreshToken: false, accessToken: false, cookie });
    expect(await auth.refresh(application, one.refreshToken)).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
    await new Promise(resolve => setTimeout(resolve, 300));
    expect(endsOf(one.sid)).toEqual([reason]);
    expect(noticesOf(one.sid)).toHaveLength(1);
  });
});
