// Metadata that an administrator has read again, and what the service does by itself after a change.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Id, TenantId } from '@reeve/contracts';
import { type EventReader, type IdentityProvider, readEvents, startIdentityProvider } from '@reeve/testing';
import { type SamlIdentityProvider, startSamlIdentityProvider } from '@reeve/testing/saml';
import { type Application, type Auth, startAuth } from '../auth.test-support.ts';
import { type MetadataServer, startMetadataServer } from './metadata-server.test-support.ts';

type View = {
  code?: string;
  detail?: string;
  expiresAt: string | null;
  expiries: { what: string; name: string; expiresAt: string }[];
  warnings: { code: string; detail: string; since: string | null }[];
  saml: { certificates: string[]; metadataUrl: string; entityId: string; ssoUrl: string; pinnedHosts: string[] };
};

let idp: SamlIdentityProvider;
let oidcProvider: IdentityProvider;
let metadata: MetadataServer;
let auth: Auth;
let events: EventReader;
let tenantId: TenantId;
let application: Application;
let id: Id<'connection'>;

beforeAll(async () => {
  idp = await startSamlIdentityProvider();
  oidcProvider = await startIdentityProvider();
  metadata = await startMetadataServer(idp.metadataXml());
  auth = await startAuth({ REEVE_ALLOWED_PRIVATE_ORIGINS: `${idp.url},${oidcProvider.issuer},${metadata.origin}` });
  events = await readEvents('reeve.auth.v1');
}, 60_000);
afterAll(async () => {
  await events.stop();
  await auth.stop();
  await Promise.all([idp.stop(), oidcProvider.stop(), metadata.stop()]);
});
beforeEach(async () => {
  idp.is({ nameId: 'ada', attributes: { email: 'ada@acme.example' } });
  metadata.says(idp.metadataXml());
  ({ tenantId } = await auth.newTenant());
  application = await auth.newApplication(tenantId);
  id = await auth.newConnection(tenantId, { kind: 'saml', oidc: undefined, saml: { metadataUrl: metadata.url } });
});

const connectByOidc = () =>
  auth.newConnection(tenantId, { oidc: { issuer: oidcProvider.issuer, clientId: 'reeve', clientSecret: 'a secret' } });
const path = (of: string = id) => `/v1/tenants/${tenantId}/sso-connections/${of}`;
const ask = async (method: string, url: string, body?: object, headers: Record<string, string> = {}) =>
  auth.ask<View>(method, url, { as: await auth.asPlatform(), headers, ...(body ? { body } : {}) });
const refresh = (headers = {}) => ask('POST', `${path()}:refresh-metadata`, undefined, headers);
const isIn = async () => (await auth.authorize(application)).code !== null;
const codes = async () => (await ask('GET', path())).body.warnings.map(({ code }) => code);

describe('metadata that an administrator has read again', () => {
  test('lets people in by keys that the provider signs with now', async () => {
    await idp.changesItsKeys();
    expect(await isIn()).toBe(false);
    metadata.says(idp.metadataXml());
    const { status, body } = await refresh();
    expect([status, body.saml.certificates.length, body.warnings]).toEqual([200, 1, []]);
    expect(await isIn()).toBe(true);
    const { data } = await events.seen(tenantId, 'connection.metadata_refreshed', id);
    expect(data).toMatchObject({ reason: { code: 'requested' }, details: { changed: ['certificates'] } });
  });

  test('that is as it was changes nothing', async () => {
    const before = await ask('GET', path());
    const after = await refresh();
    expect([after.status, after.headers.get('etag')]).toEqual([200, before.headers.get('etag')]);
  });

  test('of another provider is refused with what moved, and taken where its administrator sets the address again', async () => {
    const elsewhere = await startSamlIdentityProvider();
    metadata.says(idp.metadataXml().replaceAll(`${idp.url}/sso`, `${elsewhere.url}/sso`));
    const host = new URL(elsewhere.url).host;
    expect(await refresh()).toMatchObject({
      status: 422,
      body: { code: 'metadata_moved', detail: expect.stringContaining(host) },
    });
    const { body: shown } = await ask('GET', path());
    expect(shown.saml.ssoUrl).toBe(`${idp.url}/sso`);
    expect(shown.warnings).toMatchObject([{ code: 'metadata_moved', detail: expect.stringContaining(host) }]);
    expect(Date.parse(shown.warnings[0]?.since ?? '')).toBeLessThanOrEqual(Date.now());
    expect((await events.seen(tenantId, 'connection.metadata_refused', id)).data.reason.code).toBe('metadata_moved');
    expect(await isIn()).toBe(true);
    const tested = await auth.ask<{ works: boolean; problem: string }>('POST', `${path()}:test`, {
      as: await auth.asPlatform(),
    });
    expect(tested.body).toMatchObject({ works: false, problem: expect.stringContaining(host) });
    // Where it leads has to be an address that browsers may be sent to as well.
    expect(await ask('PATCH', path(), { saml: { metadataUrl: metadata.url } })).toMatchObject({
      status: 422,
      body: { code: 'url_refused' },
    });
    metadata.says(idp.metadataXml().replaceAll(`${idp.url}/sso`, `${metadata.origin}/sso`));
    expect((await refresh()).body.code).toBe('metadata_moved');
    const accepted = await ask('PATCH', path(), { saml: { metadataUrl: metadata.url } });
    expect([accepted.status, accepted.body.warnings]).toEqual([200, []]);
    expect(accepted.body.saml).toMatchObject({ ssoUrl: `${metadata.origin}/sso` });
    expect(accepted.body.saml.pinnedHosts).toContain(new URL(metadata.origin).host);
    expect((await refresh()).status).toBe(200);
    await elsewhere.stop();
  });

  test('that is not there is a warning until it is', async () => {
    metadata.says(503);
    expect(await refresh()).toMatchObject({ status: 422, body: { code: 'connection_unreachable' } });
    expect(await codes()).toEqual(['metadata_unreachable']);
    // What is changed besides is no answer to it.
    expect((await ask('PATCH', path(), { saml: { wantEncrypted: false }, name: 'Renamed' })).status).toBe(200);
    expect(await codes()).toEqual(['metadata_unreachable']);
    metadata.says(idp.metadataXml());
    expect((await refresh()).body.warnings).toEqual([]);
  });

  test('is there only where the settings say where', async () => {
    const other = await connectByOidc();
    const answer = await ask('POST', `${path(other)}:refresh-metadata`);
    expect(answer).toMatchObject({ status: 409, body: { code: 'connection_unsupported' } });
    expect((await ask('PATCH', path(), { saml: { metadataXml: idp.metadataXml() } })).status).toBe(200);
    expect(await refresh()).toMatchObject({ status: 409, body: { code: 'connection_unsupported' } });
  });

  test('is read in the version that was seen', async () => {
    const etag = { 'if-match': (await ask('GET', path())).headers.get('etag') ?? '' };
    await ask('PATCH', path(), { name: 'Renamed' });
    const asked = metadata.asked();
    expect(await refresh(etag)).toMatchObject({ status: 412, body: { code: 'precondition_failed' } });
    expect(metadata.asked()).toBe(asked);
  });
});

describe('what ends of a connection', () => {
  test('is shown, the earliest first', async () => {
    const validUntil = new Date(Date.now() + 3_600_000).toISOString();
    metadata.says(idp.metadataXml().replace('entityID=', `validUntil="${validUntil}" entityID=`));
    const { body } = await refresh();
    expect(body.expiries.map(({ what }) => what)).toEqual(['metadata', 'certificate', 'own_certificate']);
    expect(body.expiresAt).toBe(validUntil);
    expect(body.warnings).toMatchObject([{ code: 'metadata_expires_soon' }]);
  });

  test('is told of a client secret, where somebody has said when it does', async () => {
    const other = await connectByOidc();
    expect((await ask('GET', path(other))).body).toMatchObject({ expiresAt: null, expiries: [], warnings: [] });
    const soon = new Date(Date.now() + 5 * 86_400_000).toISOString();
    const { body } = await ask('PATCH', path(other), { oidc: { clientSecretExpiresAt: soon } });
    expect(body).toMatchObject({ expiresAt: soon, warnings: [{ code: 'client_secret_expires_soon' }] });
    const { data } = await events.seen(tenantId, 'connection.certificate_expiring', other);
    expect(data).toMatchObject({
      reason: { code: 'expires_soon' },
      details: { what: 'client_secret', expiresAt: soon, daysLeft: 5 },
    });
    const replaced = await ask('PATCH', path(other), { oidc: { clientSecret: 'another' } });
    expect(replaced.body).toMatchObject({ expiresAt: null, warnings: [] });
    for (const wrong of ['tomorrow', '2027-13-01', 5, ''])
      expect(await ask('PATCH', path(other), { oidc: { clientSecretExpiresAt: wrong } })).toMatchObject({
        status: 400,
        body: { errors: [{ field: 'oidc.clientSecretExpiresAt' }] },
      });
  }, 30_000);
});
