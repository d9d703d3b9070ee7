// What a person sees and ends of their own, and an administrator of the tenant.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Id, newId, type TenantId } from '@reeve/contracts';
import { type Ask, callers } from '@reeve/testing';
import {
  type Consent,
  type Consenting,
  connected,
  lease,
  newTenant,
  startConnectorConsent,
  tokenDestroyed,
} from '../connector-consent.test-support.ts';

type Page = { items: Consent[]; nextCursor: string | null };
type Answer = Consent & { code?: string };

let service: Consenting;
let tenant: { id: TenantId; slug: string };

beforeAll(async () => {
  service = await startConnectorConsent();
  tenant = await newTenant(service);
}, 60_000);
afterAll(() => service.stop());

const member = (id: Id<'user'>, tenantId = tenant.id) => callers.person(tenantId, { id, roles: ['tenant_member'] });
const listOwn = (as: NonNullable<Ask['as']>, query = '') => service.ask<Page>('GET', `/v1/me/consents${query}`, { as });
const revokeOwn = (id: string, asked: Ask) => service.ask<Answer>('POST', `/v1/me/consents/${id}:revoke`, asked);

describe('a person', () => {
  test('finds their own consents, page by page, and nobody else’s', async () => {
    const first = await connected(service, tenant.id);
    const second = await connected(service, tenant.id, first.who);
    const others = await connected(service, tenant.id);
    const as = member(first.who.sub);
    const page = await listOwn(as, '?limit=1');
    const rest = await listOwn(as, `?limit=1&cursor=${page.body.nextCursor}`);
    expect([page, rest].flatMap(({ body }) => body.items.map(({ id }) => id))).toEqual([
      first.consent.id,
      second.consent.id,
    ]);
    expect(rest.body.nextCursor).toBeNull();
    expect((await listOwn(member(others.who.sub))).body.items.map(({ id }) => id)).toEqual([others.consent.id]);
  });

  test('takes one back, and the token that it gave is destroyed', async () => {
    const { who, consent, path } = await connected(service, tenant.id);
    expect((await lease(service, tenant.id, { path, who })).status).toBe(200);
    expect((await revokeOwn(consent.id, { as: member(who.sub) })).body).toMatchObject({ status: 'revoked' });
    expect((await lease(service, tenant.id, { path, who })).status).toBe(404);
    expect(await service.events.seen(tenant.id, 'consent.revoked', consent.id)).toMatchObject({
      data: { actor: { type: 'user', id: who.sub }, reason: { code: 'ended_by_owner' } },
    });
    expect(await tokenDestroyed(service.events, tenant.id, consent.id)).toMatchObject({
      data: { reason: { code: 'consent_ended' }, details: { cause: 'ended_by_owner' } },
    });
  });

  test('takes none back that is somebody else’s, in the tenant or elsewhere', async () => {
    const elsewhere = await newTenant(service);
    const [own, other] = [await connected(service, tenant.id), await connected(service, elsewhere.id)];
    for (const [as, id] of [
      [callers.person(tenant.id), own.consent.id],
      [member(own.who.sub), other.consent.id],
      [member(own.who.sub), newId('consent')],
      [member(own.who.sub, elsewhere.id), own.consent.id],
      [member(own.who.sub), 'nothing'],
    ] as const)
      expect(await revokeOwn(id, { as })).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect((await listOwn(member(own.who.sub))).body.items[0]?.status).toBe('granted');
  });

  test('takes one back in the version that was read, where they say so', async () => {
    const { who, consent } = await connected(service, tenant.id);
    const as = member(who.sub);
    const stale = await revokeOwn(consent.id, { as, headers: { 'if-match': '"7"' } });
    expect(stale).toMatchObject({ status: 412, body: { code: 'precondition_failed' } });
    const revoked = await revokeOwn(consent.id, { as, headers: { 'if-match': '"1"' } });
    expect([revoked.status, revoked.headers.get('etag')]).toEqual([200, '"2"']);
    // A second time changes nothing.
    expect((await revokeOwn(consent.id, { as })).headers.get('etag')).toBe('"2"');
  });

  test('by an application that is limited to other areas, does neither', async () => {
    const { who, consent } = await connected(service, tenant.id);
    const limitedTo = (area: string) => ({ ...member(who.sub), areas: [area] });
    expect((await listOwn(limitedTo('audit'))).status).toBe(403);
    expect((await revokeOwn(consent.id, { as: limitedTo('audit') })).status).toBe(403);
    expect((await listOwn(limitedTo('connectors'))).status).toBe(200);
    expect((await revokeOwn(consent.id, { as: limitedTo('connectors') })).status).toBe(200);
  });

  test('is who this is for: a client has no consents of its own', async () => {
    expect(await listOwn(callers.tenantClient(tenant.id))).toMatchObject({
      status: 422,
      body: { code: 'person_required' },
    });
  });
});

describe('an administrator', () => {
  test('finds all consents to an installation and ends one, under that installation alone', async () => {
    const [one, other] = [await connected(service, tenant.id), await connected(service, tenant.id)];
    const as = callers.person(tenant.id);
    const revoke = (path: string, asked: Ask) =>
      service.ask<Answer>('POST', `${path}/consents/${one.consent.id}:revoke`, asked);
    expect(await revoke(other.path, { as })).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect((await revoke(one.path, { as, headers: { 'if-match': '"7"' } })).status).toBe(412);
    expect((await revoke(one.path, { as: member(other.who.sub) })).status).toBe(403);
    expect((await revoke(one.path, { as, headers: { 'if-match': '"1"' } })).body.status).toBe('revoked');
    await tokenDestroyed(service.events, tenant.id, one.consent.id);
    expect((await lease(service, tenant.id, other)).status).toBe(200);
    expect(await service.events.seen(tenant.id, 'consent.revoked', one.consent.id)).toMatchObject({
      data: { actor: { id: as.sub }, reason: { code: 'requested', rule: 'tenant-admin-administers-the-tenant' } },
    });
  });
});
