// Bad input gets a clear error that names the field, changes nothing, and is never a 5xx.
import { beforeAll, describe, expect, test } from '@jest/globals';
import { readLog } from '../support/audit.ts';
import { freshTenant, runningSystem, type TestTenant } from '../support/running-system.ts';

const credentials = runningSystem();
let own: TestTenant;
let users: string;
let token: string;

beforeAll(async () => {
  own = await freshTenant(credentials, 'bad-input');
  users = `${credentials.urls.provisioning}/v1/tenants/${own.tenant.id}/users`;
  token = await own.api.tokenFor(credentials.urls.provisioning);
});

type Problem = { status: number; code: string; errors?: { field: string }[] };

async function post(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) {
  const response = await fetch(users, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    body,
  });
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  const { code, errors } = (await response.json()) as Problem;
  return { status: response.status, code, fields: errors?.map(({ field }) => field) };
}

const email = '"email":"x@example.org"';

describe('a request', () => {
  test.each([
    ['that is no JSON', '{', 400, 'body_malformed', undefined],
    ['that is no object', '"text"', 400, 'body_malformed', undefined],
    ['without what is required', '{}', 400, 'input_invalid', ['email']],
    ['with a field that nobody knows', `{${email},"isAdmin":true}`, 400, 'input_invalid', ['isAdmin']],
    ['with a prototype', `{${email},"__proto__":{"roles":["tenant_admin"]}}`, 400, 'input_invalid', ['__proto__']],
    ['with a field of another type', '{"email":["x@example.org"]}', 400, 'input_invalid', ['email']],
    ['with half a character', `{${email},"displayName":"x\\ud800"}`, 400, 'input_invalid', ['displayName']],
    ['with a NUL', `{${email},"displayName":"x\\u0000"}`, 400, 'input_invalid', ['displayName']],
    ['with a role that there is not', `{${email},"roles":["owner"]}`, 400, 'input_invalid', ['roles.0']],
    ['that is too large', `{${email},"displayName":"${'x'.repeat(300_000)}"}`, 413, 'body_too_large', undefined],
  ])('%s is refused by name', async (_, body, status, code, fields) => {
    expect(await post(body)).toEqual({ status, code, fields });
  });

  test.each([
    ['another content type', { 'content-type': 'text/plain' }, 415, 'content_type_unsupported'],
    ['an encoding that is not what it says', { 'content-encoding': 'gzip' }, 400, 'body_malformed'],
    ['an encoding that nobody knows', { 'content-encoding': 'rot13' }, 415, 'content_type_unsupported'],
    ['an Idempotency-Key that is no key', { 'idempotency-key': 'a b' }, 400, 'input_invalid'],
  ])('with %s is refused', async (_, headers, status, code) => {
    expect(await post(`{${email}}`, headers)).toMatchObject({ status, code });
  });

  test('under one Idempotency-Key is done once, answered alike, and refused for another body', async () => {
    const headers = { 'Idempotency-Key': 'key-1' };
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => own.api.send('POST', users, { body: { email: 'once@example.org' }, headers })),
    );
    const bodies = await Promise.all(
      answers.map(async answer => ({ status: answer.status, body: (await answer.json()) as { id?: string } })),
    );
    const made = bodies.filter(({ status }) => status === 201);
    expect(made.length).toBeGreaterThan(0);
    expect(new Set(made.map(({ body }) => body.id)).size).toBe(1);
    expect(bodies.every(({ status }) => status === 201 || status === 409)).toBe(true);
    const later = await own.api.send('POST', users, { body: { email: 'once@example.org' }, headers });
    expect([later.status, ((await later.json()) as { id: string }).id]).toEqual([201, made[0]?.body.id]);
    expect((await own.api.send('POST', users, { body: { email: 'twice@example.org' }, headers })).status).toBe(409);
  });

  test('with an ETag that is not current is refused and changes nothing', async () => {
    const created = await own.api.send('POST', users, { body: { email: 'etag@example.org' } });
    const { id } = (await created.json()) as { id: string };
    const change = (etag: string, displayName: string) =>
      own.api.send('PATCH', `${users}/${id}`, { body: { displayName }, headers: { 'If-Match': etag } });
    expect((await change(String(created.headers.get('etag')), 'First')).status).toBe(200);
    expect((await change(String(created.headers.get('etag')), 'Second')).status).toBe(412);
    expect((await change('nonsense', 'Third')).status).toBe(412);
    expect(await own.api.get(`${users}/${id}`)).toMatchObject({ displayName: 'First' });
  });

  test('that was refused left nothing in the log', async () => {
    const created = (await readLog(own.api, credentials, own.tenant)).filter(({ type }) => type === 'user.created');
    expect(created.length).toBeLessThanOrEqual(2);
  });
});
