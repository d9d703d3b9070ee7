import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId, type TenantId } from '@reeve/contracts';
import { callers, type EventReader, type RunningService, readEvents } from '@reeve/testing';
import { newDirectory, newTenant, newUser, startProvisioning } from '../provisioning.test-support.ts';

let provisioning: RunningService;
let events: EventReader;

beforeAll(async () => {
  provisioning = await startProvisioning();
  events = await readEvents('reeve.directory.v1');
});
afterAll(async () => {
  await events.stop();
  await provisioning.stop();
});

type Tenant = { id: TenantId; slug: string; name: string; status: string; code?: string };
const platform = callers.platform();
const ask = (method: string, path: string, body?: object, headers: Record<string, string> = {}) =>
  provisioning.ask<Tenant>(method, path, { as: platform, headers, ...(body ? { body } : {}) });

describe('a tenant', () => {
  test('is read by id and by slug, and renamed in the version that was read', async () => {
    const id = await newTenant(provisioning);
    const read = await ask('GET', `/v1/tenants/${id}`);
    expect((await ask('GET', `/v1/tenants/${read.body.slug}`)).body).toEqual(read.body);
    const etag = read.headers.get('etag') ?? '';
    const renamed = await ask('PATCH', `/v1/tenants/${id}`, { name: 'Acme' }, { 'if-match': etag });
    expect(renamed.body).toMatchObject({ name: 'Acme', slug: read.body.slug });
    const late = await ask('PATCH', `/v1/tenants/${id}`, { name: 'Other' }, { 'if-match': etag });
    expect(late).toMatchObject({ status: 412, body: { code: 'precondition_failed' } });
    expect(await events.seen(id, 'tenant.updated')).toMatchObject({ data: { details: { changed: ['name'] } } });
  });

  test('keeps its slug: a change of it is refused by name, and so is whatever else is not its name', async () => {
    const id = await newTenant(provisioning);
    const { slug } = (await ask('GET', `/v1/tenants/${id}`)).body;
    for (const [body, field] of [
      [{ slug: 'another-one' }, 'slug'],
      [{ name: 'Acme', status: 'suspended' }, 'status'],
      [{ name: '' }, 'name'],
      [{ name: 'a'.repeat(201) }, 'name'],
    ] as const)
      expect(await ask('PATCH', `/v1/tenants/${id}`, body)).toMatchObject({
        status: 400,
        body: { errors: expect.arrayContaining([expect.objectContaining({ field })]) },
      });
    expect((await ask('GET', `/v1/tenants/${id}`)).body).toMatchObject({ slug, name: 'A tenant', status: 'active' });
  });

  test('is renamed and suspended by the platform, and not by its own administrator', async () => {
    const id = await newTenant(provisioning);
    const person = await newUser(provisioning, id, { email: 'a@acme.example', roles: ['tenant_admin'] });
    for (const as of [callers.person(id, { id: person }), callers.tenantClient(id)]) {
      expect((await provisioning.ask('GET', `/v1/tenants/${id}`, { as })).status).toBe(200);
      for (const [method, verb] of [
        ['PATCH', ''],
        ['POST', ':suspend'],
        ['POST', ':resume'],
      ] as const)
        expect(
          await provisioning.ask(method, `/v1/tenants/${id}${verb}`, {
            as,
            ...(method === 'PATCH' ? { body: { name: 'Mine' } } : {}),
          }),
        ).toMatchObject({ status: 403, body: { code: 'access_denied' } });
    }
    await ask('POST', `/v1/tenants/${id}:suspend`);
    expect((await ask('PATCH', `/v1/tenants/${id}`, { name: 'Renamed' })).body).toMatchObject({
      name: 'Renamed',
      status: 'suspended',
    });
  });

  test('is suspended in the version that was read, and a second time without a word', async () => {
    const id = await newTenant(provisioning);
    const suspend = (etag: string) => ask('POST', `/v1/tenants/${id}:suspend`, undefined, { 'if-match': etag });
    expect((await suspend('"7"')).status).toBe(412);
    expect((await suspend('nonsense')).status).toBe(412);
    expect((await suspend('"1"')).body.status).toBe('suspended');
    expect((await suspend('*')).body.status).toBe('suspended');
    await ask('POST', `/v1/tenants/${id}:resume`);
    // Events of one tenant come in order.
    await events.seen(id, 'tenant.updated');
    expect(events.of(id).map(({ type }) => type)).toEqual(['tenant.created', 'tenant.suspended', 'tenant.updated']);
  });

  test('has a slug of its own, whatever races for it', async () => {
    const slug = `race-${newId('request').slice(-8)}`;
    const all = await Promise.all(['A', 'B', 'C', 'D'].map(name => ask('POST', '/v1/tenants', { slug, name })));
    expect(all.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409, 409]);
    expect(all.find(({ status }) => status === 409)?.body.code).toBe('tenant_slug_taken');
  });

  test('is made once by a request that is sent again after a crash', async () => {
    const headers = { 'idempotency-key': newId('request') };
    const body = { slug: `once-${newId('request').slice(-8)}`, name: 'Once' };
    const first = await ask('POST', '/v1/tenants', body, headers);
    expect((await ask('POST', '/v1/tenants', body, headers)).body).toEqual(first.body);
    const other = await ask('POST', '/v1/tenants', { ...body, name: 'Other' }, headers);
    expect(other).toMatchObject({ status: 409, body: { code: 'idempotency_key_reused' } });
  });

  test('that is suspended lets nobody in, neither people nor directories, until it is resumed', async () => {
    const id = await newTenant(provisioning);
    const admin = await newUser(provisioning, id, { email: 'a@acme.example', roles: ['tenant_admin'] });
    const directory = await newDirectory(provisioning, id);
    const asAdmin = () => provisioning.ask('GET', `/v1/tenants/${id}/users`, { as: callers.person(id, { id: admin }) });
    const asDirectory = () =>
      provisioning.ask('GET', `${directory.baseUrl}/Users?filter=userName%20eq%20%22x%22`, { as: directory.token });
    expect([(await asAdmin()).status, (await asDirectory()).status]).toEqual([200, 200]);
    await ask('POST', `/v1/tenants/${id}:suspend`);
    expect([(await asAdmin()).status, (await asDirectory()).status]).toEqual([403, 403]);
    expect((await ask('POST', `/v1/tenants/${id}:resume`)).body.status).toBe('active');
    expect([(await asAdmin()).status, (await asDirectory()).status]).toEqual([200, 200]);
    expect(await events.seen(id, 'tenant.updated')).toMatchObject({ data: { reason: { code: 'resumed' } } });
  });
});

describe('the list of tenants', () => {
  test('is paged in the order of creation, for the platform alone', async () => {
    const made = [await newTenant(provisioning), await newTenant(provisioning), await newTenant(provisioning)];
    type Page = { items: Tenant[]; nextCursor: string | null };
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? '' : `&cursor=${cursor}`;
      const { body } = await provisioning.ask<Page>('GET', `/v1/tenants?limit=2${query}`, { as: platform });
      seen.push(...body.items.map(({ id }) => id));
      cursor = body.nextCursor;
    } while (cursor !== null);
    expect(seen.slice(-3)).toEqual(made);
    expect(new Set(seen).size).toBe(seen.length);
    const outsider = callers.tenantClient(made[0] ?? newId('tenant'));
    expect((await provisioning.ask('GET', '/v1/tenants', { as: outsider })).status).toBe(403);
  });
});
