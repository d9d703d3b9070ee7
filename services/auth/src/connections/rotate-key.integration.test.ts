// A service provider's key is followed by another while people sign in.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Id, TenantId } from '@reeve/contracts';
import { type EventReader, type IdentityProvider, readEvents, startIdentityProvider } from '@reeve/testing';
import { type SamlIdentityProvider, startSamlIdentityProvider } from '@reeve/testing/saml';
import { type Application, type Auth, startAuth } from '../auth.test-support.ts';

type View = { code?: string; detail?: string; saml: { spCertificates: string[]; spMetadataUrl: string } };

let idp: SamlIdentityProvider;
let oidcProvider: IdentityProvider;
let auth: Auth;
let events: EventReader;
let tenantId: TenantId;
let application: Application;

beforeAll(async () => {
  idp = await startSamlIdentityProvider();
  oidcProvider = await startIdentityProvider();
  idp.is({ nameId: 'ada', attributes: { email: 'ada@acme.example' } });
  auth = await startAuth({ REEVE_ALLOWED_PRIVATE_ORIGINS: `${idp.url},${oidcProvider.issuer}` });
  events = await readEvents('reeve.auth.v1', 'reeve.secret.v1');
  ({ tenantId } = await auth.newTenant());
  application = await auth.newApplication(tenantId);
}, 60_000);
afterAll(async () => {
  await events.stop();
  await auth.stop();
  await Promise.all([idp.stop(), oidcProvider.stop()]);
});

const connectByOidc = () =>
  auth.newConnection(tenantId, { oidc: { issuer: oidcProvider.issuer, clientId: 'reeve', clientSecret: 'a secret' } });
const connect = (saml: object, name = 'Rotating') =>
  auth.newConnection(tenantId, {
    kind: 'saml',
    oidc: undefined,
    name,
    saml: { metadataUrl: idp.metadataUrl, ...saml },
  });
const ask = async (id: string, action: string, body?: object, headers: Record<string, string> = {}) =>
  auth.ask<View>(action === '' ? 'GET' : 'POST', `/v1/tenants/${tenantId}/sso-connections/${id}${action}`, {
    as: await auth.asPlatform(),
    headers,
    ...(body ? { body } : {}),
  });
const rotate = (id: string, step: string, headers = {}) => ask(id, ':rotate-key', { step }, headers);
const base64Of = (pem: string) => pem.replace(/-----[A-Z ]+-----|\s/g, '');
const isEqual = (one: string | undefined, other: string | undefined) => base64Of(one ?? '') === base64Of(other ?? '');

/** Which of these certificates stand in our metadata. */
async function published(id: Id<'connection'>, certificates: readonly (string | undefined)[]) {
  const metadata = await (await fetch(`${auth.url}/saml/${id}/metadata`)).text();
  return certificates.map(one => metadata.includes(base64Of(one ?? 'nothing')));
}

/**
 * Somebody signs in: by whose certificate our request is verified, with an assertion that is encrypted for that one.
 */
async function signsIn(id: Id<'connection'>, signedBy: string | undefined, encryptedFor: string | undefined) {
  idp.knows({ certificate: signedBy ?? null });
  idp.encrypts(encryptedFor ?? null);
  const { code } = await auth.authorize(application, { connection: id });
  return { signature: idp.asked.at(-1)?.signature, isIn: code !== null };
}

test('people sign in at every step, whichever of the two the provider knows', async () => {
  const id = await connect({ signRequests: true, wantEncrypted: true });
  const [old] = (await ask(id, '')).body.saml.spCertificates;
  expect(await signsIn(id, old, old)).toEqual({ signature: 'holds', isIn: true });

  const first = await rotate(id, 'publish');
  const fresh = first.body.saml.spCertificates[1];
  expect([first.status, isEqual(first.body.saml.spCertificates[0], old)]).toEqual([200, true]);
  expect(await published(id, [old, fresh])).toEqual([true, true]);
  for (const encryptedFor of [old, fresh])
    expect(await signsIn(id, old, encryptedFor)).toEqual({ signature: 'holds', isIn: true });

  expect((await rotate(id, 'use')).body.saml.spCertificates.map(one => isEqual(one, old))).toEqual([false, true]);
  expect(await published(id, [old, fresh])).toEqual([true, true]);
  for (const encryptedFor of [old, fresh])
    expect(await signsIn(id, fresh, encryptedFor)).toEqual({ signature: 'holds', isIn: true });

  expect((await rotate(id, 'finish')).body.saml.spCertificates.map(one => isEqual(one, fresh))).toEqual([true]);
  expect(await published(id, [old, fresh])).toEqual([false, true]);
  expect(await signsIn(id, fresh, fresh)).toEqual({ signature: 'holds', isIn: true });
  expect((await signsIn(id, fresh, old)).isIn).toBe(false);

  await events.seen(tenantId, 'connection.key_rotated', id);
  const read = events
    .of(tenantId)
    .filter(({ type, data }) => type === 'secret.accessed' && data.target.id?.startsWith(`${id}.`));
  expect(read.map(({ data }) => data.reason.code)).toContain('rotate_key');
  expect(JSON.stringify(events.of(tenantId))).not.toContain('PRIVATE KEY');
}, 60_000);

test('a step out of order, in another version, or of a connection without a key changes nothing', async () => {
  const id = await connect({ signRequests: true }, 'In order');
  const { headers, body } = await ask(id, '');
  const etag = { 'if-match': headers.get('etag') ?? '' };
  expect(await rotate(id, 'finish')).toMatchObject({ status: 409, body: { code: 'key_rotation_state' } });
  expect(await rotate(id, 'forwards')).toMatchObject({ status: 400, body: { errors: [{ field: 'step' }] } });
  expect((await ask(id, '')).body).toEqual(body);
  expect((await rotate(id, 'publish', etag)).status).toBe(200);
  expect(await rotate(id, 'use', etag)).toMatchObject({ status: 412, body: { code: 'precondition_failed' } });
  expect((await rotate(id, 'use')).status).toBe(200);

  const metadataXml = idp.metadataXml().replace(/<md:SingleLogoutService[^>]*>(<\/md:SingleLogoutService>)?/g, '');
  const keyless = await connect({ metadataUrl: undefined, metadataXml }, 'Without a key');
  const oidc = await connectByOidc();
  for (const other of [keyless, oidc])
    expect(await rotate(other, 'publish')).toMatchObject({ status: 409, body: { code: 'connection_unsupported' } });
});
