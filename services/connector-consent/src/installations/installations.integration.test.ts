// What an administrator does with a connector, until a person is asked.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mattersAlways, newId, revocationDraft, type TenantId } from '@reeve/contracts';
import { type Ask, callers, eventually } from '@reeve/testing';
import {
  approved,
  type Consenting,
  type Installation,
  newTenant,
  startConnectorConsent,
} from '../connector-consent.test-support.ts';

let service: Consenting;
let tenant: { id: TenantId; slug: string };

beforeAll(async () => {
  service = await startConnectorConsent();
  tenant = await newTenant(service);
}, 60_000);
afterAll(() => service.stop());

const as = () => callers.tenantClient(tenant.id);
const base = () => `/v1/tenants/${tenant.id}/installations`;
const asked = { connectorId: 'calendar', scopes: ['read', 'write', 'read'] };
const post = (path: string, ask: Ask = {}) => service.ask<Installation>('POST', path, { as: as(), ...ask });
const request = (ask: Ask = {}) => post(`${base()}:request`, { body: asked, ...ask });

describe('a request for a connector', () => {
  test('names its scopes once each, and is to be approved', async () => {
    const { status, body } = await request();
    expect(status).toBe(201);
    expect(body).toMatchObject({ status: 'requested', scopes: ['read', 'write'], consentUrl: null });
    expect(await service.events.seen(tenant.id, 'installation.requested', body.id)).toMatchObject({
      data: { details: { connectorId: 'calendar', connectorName: 'Calendar', scopes: ['read', 'write'] } },
    });
  });

  test.each([
    ['a connector that is not in the catalogue', { ...asked, connectorId: 'fax' }, 404, 'connector_unknown'],
    ['a scope that the connector does not offer', { ...asked, scopes: ['read', 'all'] }, 422, 'scope_unknown'],
    ['no scopes', { ...asked, scopes: [] }, 400, 'input_invalid'],
    ['a field that nobody knows', { ...asked, approve: true }, 400, 'input_invalid'],
  ])('of %s is refused', async (_, body, status, code) => {
    expect(await request({ body })).toMatchObject({ status, body: { code } });
  });

  test('is one, however often it is sent under its Idempotency-Key', async () => {
    const headers = { 'idempotency-key': newId('request') };
    const caller = as();
    const [first, again] = [await request({ as: caller, headers }), await request({ as: caller, headers })];
    expect(again.body).toEqual(first.body);
  });

  test('asks for the level that the tenant demands for it, of people', async () => {
    const own = await newTenant(service);
    const at = `/v1/tenants/${own.id}/installations:request`;
    const mfa = 'urn:reeve:acr:mfa';
    const requestAs = (caller: NonNullable<Ask['as']>) =>
      service.ask<Installation>('POST', at, { body: asked, as: caller });
    expect((await requestAs(callers.person(own.id))).status).toBe(201);
    const demands = [{ action: 'installations:write', acrValues: [mfa], maxAgeSeconds: null }];
    await service.announcer.announce(
      own.id,
      revocationDraft({ kind: 'step_up', id: own.id, demands, until: mattersAlways }),
    );
    await eventually('the demand', async () => (await requestAs(callers.person(own.id))).status === 401);
    expect((await requestAs({ ...callers.person(own.id), acr: mfa })).status).toBe(201);
    expect((await requestAs(callers.tenantClient(own.id))).status).toBe(201);
    expect((await requestAs(callers.person(tenant.id))).status).toBe(404);
    expect((await request({ as: callers.person(tenant.id) })).status).toBe(201);
  });

  test('is for administrators; members see what there is', async () => {
    const member = callers.person(tenant.id, { roles: ['tenant_member'] });
    expect(await request({ as: member })).toMatchObject({ status: 403, body: { code: 'access_denied' } });
    expect((await service.ask('GET', base(), { as: member })).status).toBe(200);
    expect((await request({ as: callers.person(tenant.id) })).status).toBe(201);
  });
});

describe('an installation', () => {
  test('is approved once, and its page stays the same', async () => {
    const path = `${base()}/${(await request()).body.id}`;
    const first = await post(`${path}:approve`);
    expect(first.body).toMatchObject({
      status: 'approved',
      consentUrl: expect.stringContaining(`${service.url}/consent/req_`),
    });
    expect(await post(`${path}:approve`)).toMatchObject({ body: first.body });
    await post(`${path}:uninstall`);
    expect(await post(`${path}:approve`)).toMatchObject({ status: 409, body: { code: 'installation_state' } });
  });

  test('is changed in the version that was read, and not in another', async () => {
    const path = `${base()}/${(await request()).body.id}`;
    const etag = String((await service.ask('GET', path, { as: as() })).headers.get('etag'));
    const ifMatch = { headers: { 'if-match': etag } };
    expect((await post(`${path}:approve`, ifMatch)).status).toBe(200);
    for (const verb of ['approve', 'uninstall'])
      expect(await post(`${path}:${verb}`, ifMatch)).toMatchObject({
        status: 412,
        body: { code: 'precondition_failed' },
      });
    expect(await service.ask('GET', path, { as: as(), ...ifMatch })).toMatchObject({
      status: 400,
      body: { code: 'precondition_unsupported' },
    });
  });

  test('that is uninstalled has no page any more, and is listed in the order of its request', async () => {
    const own = await newTenant(service);
    const [first, second] = [await approved(service, own.id), await approved(service, own.id)];
    const caller = callers.tenantClient(own.id);
    await post(`${first.path}:uninstall`, { as: caller });
    const list = await service.ask<{ items: Installation[] }>('GET', `/v1/tenants/${own.id}/installations`, {
      as: caller,
    });
    expect(list.body.items.map(({ id, status, consentUrl }) => [id, status, consentUrl])).toEqual([
      [first.id, 'uninstalled', null],
      [second.id, 'approved', second.consentUrl],
    ]);
  });

  test.each(['', '/connection', '/consents'])('of another tenant is not found, nor is what it has%s', async below => {
    const elsewhere = await newTenant(service);
    const { id, path } = await approved(service, tenant.id);
    const outsider = { as: callers.tenantClient(elsewhere.id) };
    const unknown = path.replace(id, newId('installation'));
    for (const other of [path, unknown, `/v1/tenants/${elsewhere.id}/installations/${id}`]) {
      const { status, body } = await service.ask<{ code: string }>('GET', other + below, outsider);
      expect([status, body.code]).toEqual([404, 'not_found']);
    }
    expect((await service.ask('GET', path + below, { as: as() })).status).toBe(200);
  });
});

describe('the catalogue', () => {
  test('is read by everybody with a token, without secrets', async () => {
    const { body } = await service.ask<{ items: object[] }>('GET', '/v1/connectors?limit=1', { as: as() });
    expect(body).toMatchObject({ items: [{ id: 'calendar', name: 'Calendar' }], nextCursor: 'calendar' });
    expect(JSON.stringify(body)).not.toContain('secret');
    const rest = await service.ask<{ items: object[] }>('GET', '/v1/connectors?cursor=calendar', { as: as() });
    expect(rest.body).toMatchObject({ items: [{ id: 'elsewhere' }], nextCursor: null });
    expect((await service.ask('GET', '/v1/connectors')).status).toBe(401);
  });
});
