// Applications that prove which they are by a key of their own (private_key_jwt, RFC 7523): what counts as proof, and that
// it counts once. Beside each refusal stands the same with nothing wrong.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Id, TenantId } from '@reeve/contracts';
import { listen, newProviderKey, type ProviderKey, signedBy } from '@reeve/testing';
import { exportSPKI, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { type Auth, startAuth } from '../auth.test-support.ts';

let auth: Auth;
let keyServer: Awaited<ReturnType<typeof listen>>;
let asked = 0;
let tenantId: TenantId;
let key: ProviderKey;
let client: { id: Id<'client'> };

beforeAll(async () => {
  key = await newProviderKey('ES256');
  keyServer = await listen(
    createServer((_, response) => {
      asked += 1;
      response
        .writeHead(200, { 'content-type': 'application/json', 'cache-control': 'max-age=31536000' })
        .end(JSON.stringify({ keys: [key.jwk] }));
    }),
  );
  auth = await startAuth({ REEVE_ALLOWED_PRIVATE_ORIGINS: keyServer.url });
  ({ tenantId } = await auth.newTenant());
  client = await byKey({ jwks: { keys: [key.jwk] } });
}, 60_000);
afterAll(async () => {
  await auth.stop();
  await keyServer.stop();
});

const byKey = (keys: object) =>
  auth.newApplication(tenantId, {
    kind: 'machine',
    grantTypes: ['client_credentials'],
    redirectUris: [],
    authentication: { method: 'private_key_jwt', ...keys },
  });

const now = () => Math.floor(Date.now() / 1_000);
const claims = (more: Record<string, unknown> = {}, id: string = client.id): JWTPayload => ({
  iss: id,
  sub: id,
  aud: auth.url,
  jti: randomUUID(),
  iat: now(),
  exp: now() + 60,
  ...more,
});

async function present(assertion: string, more: Record<string, string> = {}): Promise<number> {
  const { status } = await fetch(`${auth.url}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      scope: `tenant:${tenantId}`,
      resource: auth.url,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
      ...more,
    }),
  });
  return status;
}

/** With this changed it is refused, and without it is not. */
async function expectRefused(assertion: string): Promise<void> {
  expect(await present(assertion)).toBe(401);
  expect(await present(await signedBy(key, claims()))).toBe(200);
}

describe('the assertion of an application', () => {
  test.each(['issuer', 'token endpoint'])('counts for the %s', async audience => {
    const aud = audience === 'issuer' ? auth.url : `${auth.url}/token`;
    expect(await present(await signedBy(key, claims({ aud })))).toBe(200);
  });

  test.each<[string, () => Record<string, unknown>]>([
    ['of another audience', () => ({ aud: 'https://elsewhere.example' })],
    ['of an audience that begins like ours', () => ({ aud: `${auth.url}.evil.example` })],
    ['without an audience', () => ({ aud: undefined })],
    ['without an end', () => ({ exp: undefined })],
    ['that is over', () => ({ exp: now() - 60 })],
    ['that ends in a year', () => ({ exp: now() + 31_536_000 })],
    ['that is not yet', () => ({ nbf: now() + 600 })],
    ['without an id', () => ({ jti: undefined })],
    ['of another issuer', () => ({ iss: 'cli_x' })],
    ['about somebody else', () => ({ sub: 'reeve-consent' })],
    ['for us and for others', () => ({ aud: [auth.url, 'https://evil.example'] })],
    ['of tomorrow', () => ({ iat: now() + 86_400 })],
  ])('%s is refused', async (_, change) => {
    await expectRefused(await signedBy(key, claims(change())));
  });

  test.each<[string, () => Promise<string>]>([
    ['without a signature', async () => new UnsecuredJWT(claims()).encode()],
    ['by another key', async () => signedBy({ ...(await newProviderKey('ES256')), kid: key.kid }, claims())],
    [
      'by the public key as a shared secret',
      async () =>
        new SignJWT(claims())
          .setProtectedHeader({ alg: 'HS256', kid: key.kid })
          .sign(new TextEncoder().encode(await exportSPKI(key.publicKey))),
    ],
    [
      'by a key that it brings along',
      async () => {
        const own = await newProviderKey('ES256');
        return signedBy(own, claims(), { jwk: own.jwk });
      },
    ],
    ['by an algorithm that is not taken', async () => signedBy(await newProviderKey('ES384'), claims())],
    ['of which a part is missing', async () => (await signedBy(key, claims())).split('.').slice(0, 2).join('.')],
    ['that has something after it', async () => `${await signedBy(key, claims())}A`],
    ['that is none', async () => 'x.y.z'],
    ['that is another kind of token', () => signedBy(key, claims(), { typ: 'dpop+jwt' })],
    ['that demands what is not understood', () => signedBy(key, claims(), { crit: ['b64'], b64: true })],
    ['whose key is no name', () => signedBy(key, claims(), { kid: {} as never })],
  ])('%s is refused', async (_, assertion) => {
    const status = await present(await assertion());
    expect([400, 401]).toContain(status);
    expect(await present(await signedBy(key, claims()))).toBe(200);
  });

  test('counts once, also of twenty at the same moment', async () => {
    const assertion = await signedBy(key, claims());
    const statuses = await Promise.all(Array.from({ length: 20 }, () => present(assertion)));
    expect(statuses.toSorted((one, other) => one - other)).toEqual([200, ...Array<number>(19).fill(401)]);
    expect(await present(assertion)).toBe(401);
  });

  test('counts for nobody else, and nobody else’s for it', async () => {
    const other = await byKey({ jwks: { keys: [(await newProviderKey()).jwk] } });
    await expectRefused(await signedBy(key, claims({}, other.id)));
    const withSecret = await auth.newApplication(tenantId, { grantTypes: ['client_credentials'], redirectUris: [] });
    await expectRefused(await signedBy(key, claims({}, withSecret.id)));
    expect(await present(await signedBy(key, claims()), { client_secret: 'x' })).toBe(400);
  });
});

test('an application that proves itself by a key has no secret', async () => {
  for (const secret of ['none', 'undefined', 'x'])
    expect(await auth.token({ ...client, secret }, { grant_type: 'client_credentials' })).toMatchObject({
      status: 401,
    });
  const { status } = await auth.token({ ...client, secret: '' }, { grant_type: 'client_credentials' });
  expect(status).toBe(401);
});

describe('keys that are read where the application says', () => {
  test('are read once a minute, however long their server would have them kept', async () => {
    const application = await byKey({ jwksUri: `${keyServer.url}/keys` });
    const by = async (one: ProviderKey) => present(await signedBy(one, claims({}, application.id)));
    expect(await by(key)).toBe(200);
    const before = asked;
    expect(await by(key)).toBe(200);
    expect(asked).toBe(before);
    const stranger = await newProviderKey('ES256');
    expect(await by(stranger)).toBe(401);
    expect(asked).toBe(before);
  });

  test.each([
    'https://127.0.0.1/keys',
    'https://169.254.169.254/keys',
    'https://[::1]/keys',
    'http://localhost:1/keys',
  ])('are not read inside the network (%s)', async jwksUri => {
    const application = await byKey({ jwksUri });
    expect(await present(await signedBy(key, claims({}, application.id)))).toBeGreaterThanOrEqual(400);
  });
});
