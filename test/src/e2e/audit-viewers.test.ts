// Viewer tokens: what a page of the product reads with them, and all that it does not.
import { beforeAll, describe, expect, test } from '@jest/globals';
import { type AuditEvent, logWith } from '../support/audit.ts';
import { freshTenant, runningSystem, type TestTenant } from '../support/running-system.ts';

const credentials = runningSystem();
type Created = { id: string; token: string; expiresAt: string };
let own: TestTenant;
let audit: string;
let viewer: Created;
const origin = 'https://app.example.org';

beforeAll(async () => {
  own = await freshTenant(credentials, 'viewers');
  audit = `${credentials.urls.audit}/v1/tenants/${own.tenant.id}/audit`;
  viewer = await own.api.post<Created>(`${audit}/viewer-tokens`, { name: 'admin page', origins: [origin] });
});

type Init = { method?: string; body?: string; headers?: Record<string, string> };

const send = (path: string, token: string, init: Init = {}) =>
  fetch(path.startsWith('http') ? path : `${audit}/${path}`, {
    ...init,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...init.headers },
  });

describe('a viewer token', () => {
  test('reads the log of its tenant, and its reading is on the record under its name', async () => {
    for (const path of ['events', 'checkpoints', 'verify', 'saved-views', `timeline?user=${viewer.id}`])
      expect([path, (await send(path, viewer.token)).status]).toEqual([path, 200]);
    const read = ({ type, actor }: AuditEvent) => type === 'audit.read' && actor.id === viewer.id;
    const log = await logWith({ ...own, credentials }, found => found.some(read), 'the reading');
    expect(log.find(read)).toMatchObject({
      actor: { type: 'client' },
      reason: { rule: 'viewer-token-reads-the-audit-log' },
    });
  });

  test('does nothing else, here or elsewhere', async () => {
    for (const path of ['export', 'feed', 'viewer-tokens'])
      expect([path, (await send(path, viewer.token)).status]).toEqual([path, 403]);
    const view = { method: 'POST', body: JSON.stringify({ name: 'x', filters: {} }) };
    expect((await send('saved-views', viewer.token, view)).status).toBe(403);
    const another = { method: 'POST', body: JSON.stringify({ name: 'x' }) };
    expect((await send('viewer-tokens', viewer.token, another)).status).toBe(403);
    const { provisioning, auth } = credentials.urls;
    for (const url of [
      `${provisioning}/v1/tenants/${own.tenant.id}/users`,
      `${auth}/v1/tenants/${own.tenant.id}/clients`,
    ])
      expect([url, (await send(url, viewer.token)).status]).toEqual([url, 401]);
  });

  test('reads no other tenant', async () => {
    const other = await freshTenant(credentials, 'viewers-other');
    const theirs = `${credentials.urls.audit}/v1/tenants/${other.tenant.id}/audit/events`;
    expect((await send(theirs, viewer.token)).status).toBe(404);
  });

  test('that was touched, or is made by somebody else, is refused', async () => {
    const [header = '', payload = '', signature = ''] = viewer.token.split('.');
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const decode = (text: string) => JSON.parse(Buffer.from(text, 'base64url').toString()) as Record<string, unknown>;
    const other = await freshTenant(credentials, 'viewers-forged');
    const forged = [
      [header, encode({ ...decode(payload), tid: other.tenant.id }), signature],
      [header, encode({ ...decode(payload), exp: 4_102_444_800 }), signature],
      [encode({ ...decode(header), alg: 'none' }), payload, ''],
      [encode({ ...decode(header), alg: 'HS256' }), payload, signature],
      [encode({ ...decode(header), typ: 'at+jwt' }), payload, signature],
      [header, payload, signature.slice(0, -4)],
    ];
    for (const parts of forged) expect((await send('events', parts.join('.'))).status).toBe(401);
    const checkpoints = await own.api.get<{ items: { jws: string }[] }>(`${audit}/checkpoints`);
    for (const { jws } of checkpoints.items) expect((await send('events', jws)).status).toBe(401);
    expect((await send('events', viewer.token)).status).toBe(200);
  });

  test('is used from a browser of its origins alone', async () => {
    const at = async (from: string) =>
      (await send('events', viewer.token, { headers: { origin: from } })).headers.get('access-control-allow-origin');
    expect(await at(origin)).toBe(origin);
    expect(await at('https://evil.example')).toBe(null);
    expect(await at('null')).toBe(null);
    const preflight = await fetch(`${audit}/events`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'GET' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-methods')).toBe('GET, HEAD');
    const access = await own.api.send('GET', `${audit}/events`, { headers: { origin } });
    expect(access.headers.get('access-control-allow-origin')).toBe(null);
  });

  test('ends when it is revoked, which is on the record', async () => {
    const { id, token } = await own.api.post<Created>(`${audit}/viewer-tokens`, {
      name: 'short',
      expiresInSeconds: 60,
    });
    expect((await send('events', token)).status).toBe(200);
    await own.api.post(`${audit}/viewer-tokens/${id}:revoke`);
    expect((await send('events', token)).status).toBe(401);
    await own.api.post(`${audit}/viewer-tokens/${id}:revoke`);
    expect((await own.api.send('POST', `${audit}/viewer-tokens/none:revoke`)).status).toBe(404);
    const isRevocation = ({ type, target }: AuditEvent) => type === 'viewer_token.revoked' && target.id === id;
    const log = await logWith({ ...own, credentials }, found => found.some(isRevocation), 'the revocation');
    expect(log.filter(isRevocation)).toHaveLength(1);
    expect(JSON.stringify(log)).not.toContain(token);
    const { items } = await own.api.get<{ items: { id: string; token?: string }[] }>(`${audit}/viewer-tokens`);
    expect(items.map(one => one.id)).toEqual([id, viewer.id]);
    expect(JSON.stringify(items)).not.toContain(token);
  });

  test.each([
    [{ name: '' }, 'name'],
    [{ name: 'x', expiresInSeconds: 100_000 }, 'expiresInSeconds'],
    [{ name: 'x', origins: ['https://app.example.org/path'] }, 'origins.0'],
    [{ name: 'x', origins: ['http://app.example.org'] }, 'origins.0'],
    [{ name: 'x', origins: ['*'] }, 'origins.0'],
  ])('is not made of %j', async (body, field) => {
    const response = await own.api.send('POST', `${audit}/viewer-tokens`, { body });
    expect(response.status).toBe(400);
    expect(((await response.json()) as { errors: { field: string }[] }).errors.map(error => error.field)).toEqual([
      field,
    ]);
  });
});
