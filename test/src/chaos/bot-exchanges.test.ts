// All clients of a person bring the same token for the same card at once, while auth is killed with SIGKILL and started
// again, at different moments of what it does. Whoever got no answer asks again, as clients do. However often that is,
// it is one exchange, one session, and one answer.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Api, createApi } from '@reeve/local/api';
import { platformApi } from '@reeve/local/seed';
import {
  type IdentityProvider,
  type ProviderKey,
  signedBy,
  startIdentityProvider,
} from '@reeve/testing/identity-provider';
import { logWith } from '../support/audit.ts';
import { type OwnSystem, startOwnSystem } from '../support/own-system.ts';
import { freshTenant, type TestTenant } from '../support/running-system.ts';

const minutes = 60_000;
const clients = 50;
const [connectionName, audience] = ['calendar', 'api://bot.example'];

let own: OwnSystem;
let idp: IdentityProvider;
let key: ProviderKey;
let tenant: TestTenant;
let bot: Api;
let invokeUrl: string;

beforeAll(async () => {
  idp = await startIdentityProvider();
  key = await idp.changesItsKeys();
  own = await startOwnSystem('bots', { environment: { REEVE_ALLOWED_PRIVATE_ORIGINS: idp.issuer } });
  const { credentials } = own.system;
  const { auth } = credentials.urls;
  tenant = await freshTenant({ ...credentials, demoIdp: { ...credentials.demoIdp, oidc: idp.issuer } });
  const platform = platformApi(credentials);
  const { id: tenantId, connectionId } = tenant.tenant;
  const base = `${auth}/v1/tenants/${tenantId}`;
  const resource = 'https://calendar.example';
  const server = { name: 'Calendar', identifier: resource, scopes: [{ name: 'events.read' }], applications: 'all' };
  await platform.post(`${auth}/v1/resource-servers`, server);
  await platform.post(`${base}/auth-keys`, { authKey: 'default', connectionId });
  const machine = await platform.post<{ clientId: string; clientSecret: string }>(`${base}/clients`, { name: 'Bot' });
  const connection = { authKey: 'default', tokenExchange: { audience }, resource, scopes: ['events.read'] };
  await platform.post(`${base}/bots`, {
    name: 'Concierge',
    clientId: machine.clientId,
    connections: [{ name: connectionName, ...connection }],
  });
  bot = createApi(credentials, { ...machine, scope: 'bots:act' });
  invokeUrl = `${auth}/bot/invoke`;
}, 2 * minutes);
afterAll(async () => {
  await own.stop();
  await idp.stop();
}, minutes);

/** Somebody whom the directory knows by the identity provider. */
async function newPerson(): Promise<{ userId: string; token: string }> {
  const { provisioning } = own.system.credentials.urls;
  const { id, connectionId } = tenant.tenant;
  const users = `${provisioning}/v1/tenants/${id}/users`;
  const subject = randomUUID();
  const { id: userId } = await tenant.api.post<{ id: string }>(users, { email: `${subject}@example.org` });
  await tenant.api.post(`${users}/${userId}/identities`, { connectionId, issuer: idp.issuer, subject });
  const now = Math.floor(Date.now() / 1_000);
  const claims = { iss: idp.issuer, aud: audience, sub: subject, iat: now, exp: now + 300 };
  return { userId, token: await signedBy(key, claims) };
}

/** The answer that there is in the end: what got none, or that of a server in trouble, is sent again. */
async function invoke(user: string, value: object): Promise<{ status: number; body: unknown }> {
  const from = { channelId: 'webchat', from: { id: user }, conversation: { id: 'c' } };
  const body = { type: 'invoke', name: 'signin/tokenExchange', ...from, value };
  const end = Date.now() + minutes;
  for (;;) {
    const answer = await bot
      .send('POST', invokeUrl, { body })
      .then(async response => ({ status: response.status, body: (await response.json()) as unknown }))
      .catch(() => null);
    if (answer && answer.status < 500) return answer;
    if (Date.now() > end) throw new Error(`no answer in time: ${answer?.status}`);
    await sleep(50);
  }
}

describe(`${clients} equal invokes at once`, () => {
  const hold = async () => {
    const isAsked = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    key = await idp.changesItsKeys();
    idp.lies({
      async keys() {
        isAsked.resolve();
        await gate.promise;
        return { keys: [key.jwk] };
      },
    });
    return { isAsked: isAsked.promise, letGo: gate.resolve };
  };

  // While it asks for the keys of the token; then some milliseconds after all were sent.
  test.each(['keys', 25, 'never'] as const)(
    'are one exchange with one answer, also where auth is killed in between (%s)',
    async when => {
      const held = when === 'keys' ? await hold() : null;
      const { userId, token } = await newPerson();
      // Before they are sent: whose token this is does not have to be asked again.
      await bot.tokenFor(new URL(invokeUrl).origin);
      const value = { id: 'the card', connectionName, token };
      const asked = Array.from({ length: clients }, () => invoke(userId, value));
      if (held) await held.isAsked;
      else if (when !== 'never') await sleep(Number(when));
      const crash = when === 'never' ? null : own.system.crash('auth');
      held?.letGo();
      const answers = await Promise.all(asked);
      await crash;
      const answer = { id: 'the card', connectionName, failureDetail: null };
      expect(answers).toEqual(answers.map(() => ({ status: 200, body: answer })));

      const query = new URLSearchParams({ userId, connectionName, channelId: 'webchat' });
      const { auth } = own.system.credentials.urls;
      const got = await bot.get<{ token: string }>(`${auth}/api/usertoken/GetToken?${query}`);
      expect(got.token).toEqual(expect.any(String));
      const isOfThem = (types: string[]) => (record: { type: string; details: Record<string, unknown> }) =>
        types.includes(record.type) && record.details['userId'] === userId;
      const log = await logWith(
        { ...tenant, credentials: own.system.credentials },
        found => found.some(isOfThem(['bot_sign_in.exchanged'])) && found.some(isOfThem(['session.created'])),
        'the sign-in',
      );
      const types = ['bot_sign_in.exchanged', 'bot_sign_in.failed', 'session.created', 'session.revoked'];
      expect(
        log
          .filter(isOfThem(types))
          .map(({ type }) => type)
          .toSorted(),
      ).toEqual(['bot_sign_in.exchanged', 'session.created']);
    },
    minutes,
  );
});
