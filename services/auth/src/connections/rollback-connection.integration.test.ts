// What the settings of a connection were, and how they become that again.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Id, TenantId } from '@reeve/contracts';
import { type EventReader, eventually, readEvents, startIdentityProvider } from '@reeve/testing';
import { type SamlIdentityProvider, startSamlIdentityProvider } from '@reeve/testing/saml';
import { type Application, type Auth, startAuth } from '../auth.test-support.ts';
import { type MetadataServer, startMetadataServer } from './metadata-server.test-support.ts';

type Revision = {
  revision: number;
  isPresent: boolean;
  at: string;
  by: { type: string; id: string };
  because: string;
  secretReplaced: boolean | null;
  diff: { field: string; before: unknown; after: unknown }[] | null;
};
type View = {
  code?: string;
  name: string;
  domains: string[];
  revision: number;
  secretReplacedSince: boolean;
  jit: object;
  items: Revision[];
  oidc: { issuer: string; clientId: string; jwksUri?: string };
  saml: { certificates: string[]; spCertificates: string[]; signRequests: boolean; wantEncrypted: boolean };
};

let idp: SamlIdentityProvider;
let metadata: MetadataServer;
let oidcProvider: Awaited<ReturnType<typeof startIdentityProvider>>;
let evilProvider: typeof oidcProvider;
let auth: Auth;
let events: EventReader;
let tenantId: TenantId;
let application: Application;

beforeAll(async () => {
  idp = await startSamlIdentityProvider();
  metadata = await startMetadataServer(idp.metadataXml());
  oidcProvider = await startIdentityProvider();
  evilProvider = await startIdentityProvider();
  auth = await startAuth({
    REEVE_ALLOWED_PRIVATE_ORIGINS: [idp.url, metadata.origin, oidcProvider.issuer, evilProvider.issuer].join(','),
  });
  events = await readEvents('reeve.auth.v1');
}, 60_000);
afterAll(async () => {
  await events.stop();
  await auth.stop();
  await Promise.all([idp.stop(), metadata.stop(), oidcProvider.stop(), evilProvider.stop()]);
});
beforeEach(async () => {
  idp.is({ nameId: 'ada', attributes: { email: 'ada@acme.example' } });
  metadata.says(idp.metadataXml());
  ({ tenantId } = await auth.newTenant());
  application = await auth.newApplication(tenantId);
});

const oidc = () => ({ issuer: oidcProvider.issuer, clientId: 'first', clientSecret: 'the first secret' });
const byOidc = (more: object = {}) => auth.newConnection(tenantId, { oidc: oidc(), ...more });
const bySaml = (saml: object = {}) =>
  auth.newConnection(tenantId, { kind: 'saml', oidc: undefined, saml: { metadataUrl: metadata.url, ...saml } });
const asTenant = async () => {
  const client = await auth.newApplication(tenantId, { grantTypes: ['client_credentials'], redirectUris: [] });
  const asked = { grant_type: 'client_credentials', scope: `tenant:${tenantId}`, resource: auth.url };
  return (await auth.token(client, asked)).body['access_token'] ?? '';
};
const path = (id: string) => `/v1/tenants/${tenantId}/sso-connections/${id}`;
const ask = async (method: string, url: string, body?: object, headers: Record<string, string> = {}, as?: string) =>
  auth.ask<View>(method, url, { as: as ?? (await auth.asPlatform()), headers, ...(body ? { body } : {}) });
const patch = (id: string, body: object) => ask('PATCH', path(id), body);
const rollBack = (id: string, revision: unknown, headers = {}, as?: string) =>
  ask('POST', `${path(id)}:rollback`, { revision }, headers, as);
const revisions = async (id: string) => (await ask('GET', `${path(id)}/revisions`)).body.items;
const signsIn = async (id: Id<'connection'>) => (await auth.authorize(application, { connection: id })).code !== null;

describe('revisions', () => {
  test('say who changed what, when, and what it was before; and no secret', async () => {
    const id = await byOidc({ name: 'One' });
    await patch(id, { name: 'Two', oidc: { clientId: 'second', clientSecret: 'the second secret' } });
    await patch(id, { jit: { enabled: false, defaultRoles: ['tenant_auditor'] } });
    await patch(id, { name: 'Two' });
    const items = await revisions(id);
    expect(items).toMatchObject([
      {
        revision: 3,
        isPresent: true,
        because: 'updated',
        secretReplaced: false,
        by: { type: 'client', id: auth.platform.id },
        diff: [
          {
            field: 'jit',
            before: { enabled: true, defaultRoles: ['tenant_member'] },
            after: { enabled: false, defaultRoles: ['tenant_auditor'] },
          },
        ],
      },
      {
        revision: 2,
        isPresent: false,
        secretReplaced: true,
        diff: [
          { field: 'name', before: 'One', after: 'Two' },
          { field: 'oidc.clientId', before: 'first', after: 'second' },
        ],
      },
      { revision: 1, because: 'created', secretReplaced: null, diff: null },
    ]);
    expect(items.map(({ at }) => at).toSorted()).toEqual(items.map(({ at }) => at).toReversed());
    expect(JSON.stringify(items)).not.toMatch(/the (first|second) secret/);
  });

  test('are the last twenty beside the present one', async () => {
    const id = await byOidc({ name: 'Name 1' });
    for (let number = 2; number <= 24; number += 1) await patch(id, { name: `Name ${number}` });
    const items = await revisions(id);
    expect(items.map(({ revision }) => revision)).toEqual(Array.from({ length: 21 }, (_, index) => 24 - index));
    expect(items.at(-2)?.diff).toEqual([{ field: 'name', before: 'Name 4', after: 'Name 5' }]);
    expect(items.at(-1)?.diff).toBeNull();
    for (const gone of [3, 25, 23_000])
      expect(await rollBack(id, gone)).toMatchObject({ status: 404, body: { code: 'revision_unknown' } });
    expect((await rollBack(id, 4)).body.name).toBe('Name 4');
  }, 30_000);

  test('are gone with the connection, and those of another tenant are not there', async () => {
    const id = await byOidc();
    await patch(id, { name: 'Other' });
    const own = tenantId;
    ({ tenantId } = await auth.newTenant());
    for (const answer of [await ask('GET', `${path(id)}/revisions`), await rollBack(id, 1)])
      expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } });
    tenantId = own;
    expect((await revisions(id)).length).toBe(2);
    await ask('DELETE', path(id));
    for (const answer of [await ask('GET', `${path(id)}/revisions`), await rollBack(id, 1)])
      expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });
});

describe('rolling back', () => {
  test('lets people in as before, at once, and is a revision itself', async () => {
    const id = await bySaml();
    expect(await signsIn(id)).toBe(true);
    const wrong = await startSamlIdentityProvider();
    const { entityId } = idp;
    await patch(id, { saml: { entityId, ssoUrl: idp.ssoUrl, certificates: [wrong.certificate()] } });
    expect(await signsIn(id)).toBe(false);
    const { body, status } = await rollBack(id, 1);
    expect([status, body.revision, body.secretReplacedSince]).toEqual([200, 3, false]);
    expect(await signsIn(id)).toBe(true);
    expect((await revisions(id))[0]).toMatchObject({ revision: 3, because: 'rolled_back' });
    const { data } = await events.seen(tenantId, 'connection.rolled_back', id);
    expect(data).toMatchObject({ actor: { id: auth.platform.id }, details: { revision: 1 } });
    // There and back again.
    expect((await rollBack(id, 2)).body.saml.certificates).not.toEqual(body.saml.certificates);
    await wrong.stop();
  }, 30_000);

  test('heeds the version that was seen, and what is so already stays', async () => {
    const id = await byOidc({ name: 'One' });
    const etag = { 'if-match': (await ask('GET', path(id))).headers.get('etag') ?? '' };
    const { headers } = await patch(id, { name: 'Two' });
    expect(await rollBack(id, 1, etag)).toMatchObject({ status: 412, body: { code: 'precondition_failed' } });
    const current = { 'if-match': headers.get('etag') ?? '' };
    const same = await rollBack(id, 2, current);
    expect([same.status, same.headers.get('etag')]).toEqual([200, headers.get('etag')]);
    expect(await rollBack(id, 1, current)).toMatchObject({ status: 200, body: { name: 'One', revision: 3 } });
    for (const wrong of [0, -1, 1.5, '1', null])
      expect(await rollBack(id, wrong)).toMatchObject({ status: 400, body: { code: 'input_invalid' } });
  });

  test('leaves a secret as it is now, and says so', async () => {
    const id = await byOidc();
    await patch(id, { oidc: { clientId: 'second', clientSecret: 'another' } });
    const { body } = await rollBack(id, 1);
    expect(body).toMatchObject({ oidc: { clientId: 'first' }, secretReplacedSince: true });
    expect((await rollBack(id, 2)).body).toMatchObject({ oidc: { clientId: 'second' }, secretReplacedSince: false });
  });

  test('hands no secret to an identity provider that it was not given for', async () => {
    const evil = { issuer: evilProvider.issuer, clientId: 'evil', clientSecret: 'known to evil' };
    const id = await byOidc({ oidc: evil });
    await patch(id, { oidc: oidc() });
    expect(await rollBack(id, 1)).toMatchObject({ status: 409, body: { code: 'rollback_needs_secret' } });
    expect((await ask('GET', path(id))).body).toMatchObject({ revision: 2, oidc: { issuer: oidcProvider.issuer } });
    await patch(id, { oidc: { clientId: 'third' } });
    expect((await rollBack(id, 2)).body.oidc).toMatchObject({ issuer: oidcProvider.issuer, clientId: 'first' });
    expect(await rollBack(id, 1)).toMatchObject({ status: 409, body: { code: 'rollback_needs_secret' } });
  });

  test('keeps the key that proves who we are, or the secret, whichever it is now', async () => {
    const id = await byOidc();
    const { oidc: byKey } = (await patch(id, { oidc: { privateKeyJwt: true } })).body;
    expect((await rollBack(id, 1)).body.oidc).toEqual({ ...byKey, clientId: 'first' });
    await patch(id, { oidc: { clientSecret: 'another' } });
    expect((await rollBack(id, 2)).body.oidc).not.toHaveProperty('jwksUri');
  });

  test('leaves our own key as it is now, so that what is encrypted for it is opened', async () => {
    const id = await bySaml({ wantEncrypted: true });
    for (const step of ['publish', 'use', 'finish']) await ask('POST', `${path(id)}:rotate-key`, { step });
    const { saml: now } = (await ask('GET', path(id))).body;
    const { saml } = (await rollBack(id, 1)).body;
    expect(saml.spCertificates).toEqual(now.spCertificates);
    idp.encrypts(saml.spCertificates[0] ?? null);
    expect(await signsIn(id)).toBe(true);
    idp.encrypts(null);
  }, 30_000);

  test('gives nobody a domain back that was taken away, but for the platform', async () => {
    const domains = [`${tenantId.slice(-12)}.example`];
    const id = await byOidc({ domains });
    await patch(id, { domains: [] });
    const as = await asTenant();
    expect(await rollBack(id, 1, {}, as)).toMatchObject({ status: 403, body: { code: 'domain_unverified' } });
    const other = await byOidc({ domains, name: 'Other' });
    expect(await rollBack(id, 1)).toMatchObject({ status: 409, body: { code: 'domain_taken' } });
    await patch(other, { domains: [] });
    expect((await rollBack(id, 1)).body.domains).toEqual(domains);
    await patch(id, { name: 'Renamed' });
    expect((await rollBack(id, 3, {}, as)).status).toBe(200);
  }, 30_000);

  test('brings back no key that the provider has given up, where it says which it has', async () => {
    const id = await bySaml();
    const before = (await ask('GET', path(id))).body.saml.certificates;
    await idp.changesItsKeys();
    metadata.says(idp.metadataXml());
    const fresh = (await ask('POST', `${path(id)}:refresh-metadata`)).body.saml.certificates;
    expect((await rollBack(id, 1)).body.saml.certificates).toEqual(before);
    await eventually('the provider’s own word', async () => {
      const { certificates } = (await ask('GET', path(id))).body.saml;
      return JSON.stringify(certificates) === JSON.stringify(fresh);
    });
    expect((await revisions(id)).map(({ because }) => because)).toEqual([
      'metadata_refreshed',
      'rolled_back',
      'metadata_refreshed',
      'created',
    ]);
  }, 40_000);
});
