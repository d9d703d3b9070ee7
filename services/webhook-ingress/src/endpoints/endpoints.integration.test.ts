// Endpoints, as those who administer a tenant meet them.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { event, newId, type TenantId } from '@reeve/contracts';
import { type Ask, callers, type EventReader, eventually, readEvents } from '@reeve/testing';
import {
  deliver,
  type Endpoint,
  endpointsOf,
  type Ingress,
  newEndpoint,
  newTenant,
  startIngress,
  unixNow,
} from '../webhook-ingress.test-support.ts';

type Problem = { code: string; errors?: { field: string }[] };

let ingress: Ingress;
let events: EventReader;
let tenantId: TenantId;

beforeAll(async () => {
  [ingress, events] = await Promise.all([startIngress(), readEvents('reeve.webhook.v1', 'reeve.secret.v1')]);
  tenantId = await newTenant(ingress);
}, 60_000);
afterAll(async () => {
  await events.stop();
  await ingress.stop();
});

const ask = <T = Endpoint>(method: string, path: string, given: Ask = {}) =>
  ingress.ask<T>(method, `${endpointsOf(tenantId)}${path}`, { as: callers.tenantClient(tenantId), ...given });
const eventsOf = (id: string, type: string) =>
  events.of(tenantId).filter(one => one.type === type && one.data.target.id === id);

describe('creating an endpoint', () => {
  test('shows the secret that was made here once, whatever is asked afterwards', async () => {
    const as = callers.tenantClient(tenantId);
    const given = { as, body: { connectorId: 'partner' }, headers: { 'idempotency-key': newId('request') } };
    const first = await ask('POST', '', given);
    expect(first).toMatchObject({ status: 201, body: { secret: expect.stringMatching(/^whsec_/), status: 'active' } });
    const again = await ask('POST', '', given);
    expect(again).toMatchObject({ status: 201, body: { id: first.body.id, secret: null } });
    expect(again.headers.get('etag')).toBe(first.headers.get('etag'));
    expect((await ask('POST', '', { ...given, body: { connectorId: 'other' } })).status).toBe(409);
    const shown = [await ask('GET', `/${first.body.id}`), await ask('GET', '?limit=200')];
    expect(JSON.stringify(shown.map(({ body }) => body))).not.toContain(first.body.secret.slice('whsec_'.length));
    expect((await deliver(first.body)).status).toBe(202);
  });

  test('does not show a secret that its caller brought, and keeps it out of every event', async () => {
    const secret = 'brought by the caller';
    const { status, body } = await ask('POST', '', {
      body: { connectorId: 'partner', scheme: 'github', secrets: [secret] },
    });
    expect([status, body.secret]).toEqual([201, null]);
    expect((await deliver({ ...body, secret }, { scheme: 'github' })).status).toBe(202);
    await events.seen(tenantId, 'endpoint.created', body.id);
    await eventually('the access', () => events.of(tenantId).find(({ type }) => type === 'secret.accessed'));
    expect(JSON.stringify(events.of(tenantId))).not.toContain(secret);
  });

  test.each([
    ['a scheme that is not one', { scheme: 'twilio' }, 'scheme'],
    ['settings for a scheme with its own form', { scheme: 'github', signature: { header: 'x' } }, 'signature'],
    [
      'a timestamp that is not signed',
      { scheme: 'hmac', signature: { timestampHeader: 'x-time' } },
      'signature.template',
    ],
    ['a template without the body', { scheme: 'hmac', signature: { template: '{id}' } }, 'signature.template'],
    ...['{timestamp}.{id}{body}', '{id}{timestamp}.{body}', '{body}.{timestamp}{id}'].map(
      template =>
        [
          `an id that nothing sets apart (${template})`,
          { scheme: 'hmac', signature: { template, idHeader: 'x-id', timestampHeader: 'x-time' } },
          'signature.template',
        ] as const,
    ),
    ['a secret of the wrong form', { secrets: ['whsec_short'] }, 'secrets.0'],
    ['a scheme whose key only the partner can make', { scheme: 'ed25519' }, 'secrets.0'],
    ['order without a sequence', { ordered: true }, 'sequenceFrom'],
    ['a place within the place of something else', { idFrom: 'body:/a', sequenceFrom: 'body:/a/0' }, 'sequenceFrom'],
    ['one around it', { orderingKeyFrom: 'body:/a/b/c', sequenceFrom: 'body:/a/b' }, 'orderingKeyFrom'],
    ['a place within that of the scheme', { scheme: 'stripe', orderingKeyFrom: 'body:/id/key' }, 'orderingKeyFrom'],
    ['a place that is neither header nor pointer', { idFrom: 'id' }, 'idFrom'],
    ['an address range that is none', { allowedIps: ['10.0.0.0/33'] }, 'allowedIps.0'],
    ['a key that is not known', { tolerance: 3 }, 'tolerance'],
  ])('%s is refused by the name of its field', async (_, settings, field) => {
    const { status, body } = await ask<Problem>('POST', '', { body: { connectorId: 'partner', ...settings } });
    expect([status, body.errors?.map(error => error.field)]).toEqual([400, [field]]);
  });
});

describe('changing an endpoint', () => {
  test('heeds If-Match, whatever the change', async () => {
    const { id } = await newEndpoint(ingress, tenantId);
    const change = (etag: string) => [
      () => ask<Problem>('PATCH', `/${id}`, { body: { toleranceSeconds: 60 }, headers: { 'if-match': etag } }),
      () => ask<Problem>('POST', `/${id}:rotate-secret`, { body: {}, headers: { 'if-match': etag } }),
      () => ask<Problem>('POST', `/${id}:disable`, { headers: { 'if-match': etag } }),
      () => ask<Problem>('POST', `/${id}:enable`, { headers: { 'if-match': etag } }),
    ];
    for (const one of change('"99"'))
      expect(await one()).toMatchObject({ status: 412, body: { code: 'precondition_failed' } });
    for (const index of [0, 1, 2, 3]) {
      const etag = (await ask('GET', `/${id}`)).headers.get('etag') ?? '';
      expect((await change(etag)[index]?.())?.status).toBe(200);
      expect((await ask('GET', `/${id}`)).headers.get('etag')).not.toBe(etag);
    }
  });

  test('puts no secret into the vault where it is refused', async () => {
    const own = await newTenant(ingress);
    const { id } = await newEndpoint(ingress, own);
    const rotate = (headers: Record<string, string>) =>
      ingress.ask('POST', `${endpointsOf(own)}/${id}:rotate-secret`, {
        as: callers.tenantClient(own),
        body: {},
        headers,
      });
    const stored = () => events.of(own).filter(({ type }) => type === 'secret.stored');
    expect((await rotate({ 'if-match': '"99"' })).status).toBe(412);
    expect((await rotate({})).status).toBe(200);
    await eventually('both secrets', () => stored().length >= 2);
    await pause(300);
    expect(stored()).toHaveLength(2);
  });

  test('counts at once, and its event names what changed', async () => {
    const own = await newEndpoint(ingress, tenantId);
    const late = { timestamp: unixNow() - 40 };
    expect((await deliver(own, late)).status).toBe(202);
    const settings = { toleranceSeconds: 30, holdSeconds: 30 };
    expect(await ask('PATCH', `/${own.id}`, { body: settings })).toMatchObject({ status: 200, body: settings });
    expect((await deliver(own, { timestamp: unixNow() - 40 })).status).toBe(401);
    const changed = await events.seen(tenantId, 'endpoint.updated', own.id);
    expect(changed.data.details).toEqual({ changed: ['toleranceSeconds'] });
    expect((await ask<Problem>('PATCH', `/${own.id}`, { body: { ordered: true } })).body.errors).toMatchObject([
      { field: 'sequenceFrom' },
    ]);
  });

  test('to places within one another is refused, and to places beside one another is not', async () => {
    const own = await newEndpoint(ingress, tenantId, { idFrom: 'body:/data/id' });
    const moved = (orderingKeyFrom: string) => ask<Problem>('PATCH', `/${own.id}`, { body: { orderingKeyFrom } });
    for (const place of ['body:/data', 'body:/data/id/0']) expect((await moved(place)).status).toBe(400);
    for (const place of ['body:/data/i', 'body:/data/id2', 'body:/data/id', 'header:x-data'])
      expect((await moved(place)).status).toBe(200);
  });

  test('to what it is already changes nothing and makes no event', async () => {
    const { id } = await newEndpoint(ingress, tenantId);
    const disable = () => ask('POST', `/${id}:disable`);
    const first = await disable();
    expect(first).toMatchObject({ status: 200, body: { status: 'disabled' } });
    expect((await disable()).headers.get('etag')).toBe(first.headers.get('etag'));
    await ask('POST', `/${id}:enable`);
    await eventually('it is enabled', () => eventsOf(id, 'endpoint.enabled')[0]);
    expect(eventsOf(id, 'endpoint.disabled')).toHaveLength(1);
  });
});

test('samples stay small where a place has a large number in it', async () => {
  const { id } = await newEndpoint(ingress, tenantId, { idFrom: 'body:/a/500000', sequenceFrom: 'body:/500000' });
  const samples = await ask<{ items: { source: string }[] }>('GET', `/${id}/samples`);
  expect([samples.status, samples.body.items.every(({ source }) => source.length < 10_000)]).toEqual([200, true]);
});

describe('rotating a secret', () => {
  test('lets the old one work for as long as was said, and shows when each was used', async () => {
    const own = await newEndpoint(ingress, tenantId);
    expect((await deliver(own)).status).toBe(202);
    const rotate = async (overlapSeconds: number) =>
      (await ask('POST', `/${own.id}:rotate-secret`, { body: { overlapSeconds } })).body;
    const second = await rotate(3_600);
    const status = async (secret: string) => (await deliver(own, { secret })).status;
    expect([await status(own.secret), await status(second.secret)]).toEqual([202, 202]);
    const used = await eventually('the use of both', async () => {
      const { secrets } = (await ask('GET', `/${own.id}`)).body;
      return secrets.every(({ lastUsedAt }) => lastUsedAt !== null) && secrets;
    });
    expect(used.map(({ expiresAt }) => expiresAt === null)).toEqual([true, false]);
    const third = await rotate(0);
    expect([await status(own.secret), await status(second.secret), await status(third.secret)]).toEqual([
      401, 401, 202,
    ]);
  });

  test('beyond five in force is refused, and puts no secret into the vault', async () => {
    const own = await newTenant(ingress);
    const { id } = await newEndpoint(ingress, own);
    const rotate = (overlapSeconds: number) =>
      ingress.ask<Problem>('POST', `${endpointsOf(own)}/${id}:rotate-secret`, {
        as: callers.tenantClient(own),
        body: { overlapSeconds },
      });
    for (let time = 0; time < 4; time += 1) expect((await rotate(3_600)).status).toBe(200);
    expect(await rotate(3_600)).toMatchObject({ status: 409, body: { code: 'secret_limit' } });
    expect((await rotate(0)).status).toBe(200);
    const stored = () => events.of(own).filter(({ type }) => type === 'secret.stored');
    await eventually('all six secrets', () => stored().length >= 6);
    await pause(300);
    expect(stored()).toHaveLength(6);
  });

  test('under one Idempotency-Key happens once, and shows the secret once', async () => {
    const own = await newEndpoint(ingress, tenantId);
    const given = {
      as: callers.tenantClient(tenantId),
      body: {},
      headers: { 'idempotency-key': newId('request') },
    };
    const rotate = () => ask('POST', `/${own.id}:rotate-secret`, given);
    const [first, again] = [await rotate(), await rotate()];
    expect(first.body.secret).toMatch(/^whsec_/);
    expect(again).toMatchObject({ status: 200, body: { secret: null } });
    expect(again.body.secrets).toHaveLength(2);
    expect((await deliver(own, { secret: first.body.secret })).status).toBe(202);
    expect((await deliver(own)).status).toBe(202);
  });
});

describe('an installation', () => {
  const details = { connectorId: 'demo-calendar', connectorName: 'Calendar', scopes: [] };
  const happened = (
    type: 'installation.installed' | 'installation.uninstalled',
    id: ReturnType<typeof newId<'installation'>>,
  ) =>
    ingress.announcer.announce(
      tenantId,
      type === 'installation.installed'
        ? event(type, { id, because: 'consented_and_connected', details })
        : event(type, { id, because: 'requested', details }),
    );
  const endpointOf = async (installationId: string) => {
    const { items } = (await ask<{ items: (Endpoint & { installationId: string })[] }>('GET', '?limit=200')).body;
    return items.filter(item => item.installationId === installationId);
  };

  test('has one endpoint, however often its event comes, which is disabled when it is uninstalled', async () => {
    const id = newId('installation');
    for (let time = 0; time < 2; time += 1) await happened('installation.installed', id);
    const [made] = await eventually('the endpoint', async () => {
      const found = await endpointOf(id);
      return found.length > 0 && found;
    });
    expect(made).toMatchObject({ status: 'active', connectorId: 'demo-calendar' });
    for (let time = 0; time < 2; time += 1) await happened('installation.uninstalled', id);
    await eventually('the end', async () => (await endpointOf(id))[0]?.status === 'disabled');
    // One more of each, which comes late.
    await happened('installation.installed', id);
    const marker = newId('installation');
    await happened('installation.installed', marker);
    await eventually('what came after it', async () => (await endpointOf(marker)).length === 1);
    expect((await endpointOf(id)).map(({ status }) => status)).toEqual(['disabled']);
    const [disabled, ...others] = eventsOf(made?.id ?? '', 'endpoint.disabled');
    expect(disabled?.data.reason.code).toBe('uninstalled');
    expect(others).toEqual([]);
  });
});

describe('who may', () => {
  test('an endpoint of another tenant is not there, by any path', async () => {
    const elsewhere = await newTenant(ingress);
    const { id } = await newEndpoint(ingress, elsewhere);
    const read = (caller: TenantId, tenant: TenantId) =>
      ingress.ask<Problem>('GET', `${endpointsOf(tenant)}/${id}`, { as: callers.tenantClient(caller) });
    expect((await read(elsewhere, elsewhere)).status).toBe(200);
    for (const tenant of [tenantId, elsewhere])
      expect(await read(tenantId, tenant)).toMatchObject({
        status: 404,
        body: { code: 'not_found' },
      });
  });

  test('a member reads nothing of them, an administrator changes them', async () => {
    const { id } = await newEndpoint(ingress, tenantId);
    const as = (role: string) => callers.person(tenantId, { roles: [role] });
    expect((await ask('POST', `/${id}:disable`, { as: as('tenant_member') })).status).toBe(403);
    expect((await ask('POST', `/${id}:disable`, { as: as('tenant_admin') })).status).toBe(200);
    expect((await ingress.ask('GET', endpointsOf(tenantId))).status).toBe(401);
  });

  test('an id that is none, or that nobody has, is not found', async () => {
    for (const id of ['x', 'whe_00000000-0000-7000-8000-000000000000', 'whe_1'])
      expect(await ask<Problem>('GET', `/${id}`)).toMatchObject({ status: 404, body: { code: 'not_found' } });
    const read = await ask<Problem>('GET', '/whe_1:disable');
    expect([read.status, read.headers.get('allow')]).toEqual([405, 'POST']);
  });
});
