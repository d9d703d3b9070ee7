// A directory pushes a user, as identity providers do it.
import { beforeAll, describe, expect, test } from '@jest/globals';
import { freshTenant, runningSystem, type TestTenant } from '../support/running-system.ts';

const credentials = runningSystem();
const core = 'urn:ietf:params:scim:schemas:core:2.0:User';
const patchOp = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

type Directory = { baseUrl: string; token: string };
type User = { id: string; userName: string; active: boolean };

let own: TestTenant;
let directory: Directory;
let other: Directory;

const newDirectory = ({ api, tenant }: TestTenant) =>
  api.post<Directory>(`${credentials.urls.provisioning}/v1/tenants/${tenant.id}/directories`, { name: 'HR' });

beforeAll(async () => {
  own = await freshTenant(credentials, 'scim');
  directory = await newDirectory(own);
  other = await newDirectory(await freshTenant(credentials, 'scim-other'));
});

async function scim<T>(
  method: string,
  url: string,
  { token = directory.token, body }: { token?: string; body?: unknown } = {},
): Promise<{ status: number; body: T }> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' };
  const response = await fetch(url, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  expect(response.headers.get('content-type')).toContain('application/scim+json');
  return { status: response.status, body: (await response.json()) as T };
}

describe('SCIM', () => {
  test('creates, finds in any case, deactivates as Entra sends it, and reactivates a user', async () => {
    const created = await scim<User>('POST', `${directory.baseUrl}/Users`, {
      body: { schemas: [core], userName: 'Ada@acme.example', name: { givenName: 'Ada', familyName: 'L.' } },
    });
    expect(created).toMatchObject({
      status: 201,
      body: { userName: 'Ada@acme.example', active: true, displayName: 'Ada L.' },
    });
    const filter = encodeURIComponent('userName eq "ada@ACME.example"');
    expect((await scim(`GET`, `${directory.baseUrl}/Users?filter=${filter}`)).body).toMatchObject({
      totalResults: 1,
      Resources: [{ id: created.body.id }],
    });
    const url = `${directory.baseUrl}/Users/${created.body.id}`;
    const entra = { schemas: [patchOp], Operations: [{ op: 'Replace', path: 'active', value: 'False' }] };
    expect((await scim<User>('PATCH', url, { body: entra })).body.active).toBe(false);
    const okta = { schemas: [patchOp], Operations: [{ op: 'replace', value: { active: true } }] };
    expect((await scim<User>('PATCH', url, { body: okta })).body.active).toBe(true);
    const again = await scim('POST', `${directory.baseUrl}/Users`, {
      body: { schemas: [core], userName: 'ada@acme.example' },
    });
    expect(again).toMatchObject({ status: 409, body: { scimType: 'uniqueness', status: '409' } });
  });

  test('a directory of another tenant sees and changes nothing, and its token opens nothing here', async () => {
    const { body: user } = await scim<User>('POST', `${directory.baseUrl}/Users`, {
      body: { schemas: [core], userName: 'mine@acme.example' },
    });
    const deactivate = { schemas: [patchOp], Operations: [{ op: 'replace', path: 'active', value: false }] };
    expect((await scim('GET', `${other.baseUrl}/Users/${user.id}`, { token: other.token })).status).toBe(404);
    expect(
      (await scim('PATCH', `${other.baseUrl}/Users/${user.id}`, { token: other.token, body: deactivate })).status,
    ).toBe(404);
    expect((await scim('GET', `${directory.baseUrl}/Users/${user.id}`, { token: other.token })).status).toBe(401);
    expect((await scim<User>('GET', `${directory.baseUrl}/Users/${user.id}`)).body.active).toBe(true);
  });

  test.each([
    ['no schema', { userName: 'x' }, 'schemas'],
    ['no name', { schemas: [core] }, 'userName'],
    ['an address that is none', { schemas: [core], userName: 'x', emails: [{ value: 'nobody' }] }, 'emails.0.value'],
  ])('a user with %s is refused by name', async (_, body, field) => {
    expect((await scim<{ detail: string }>('POST', `${directory.baseUrl}/Users`, { body })).body.detail).toContain(
      field,
    );
  });

  test.each([
    '',
    'userName sw "a"',
    'userName eq "a" or active eq true',
    '__proto__.polluted eq "x"',
    'userName eq "\\ud8"',
  ])('the filter %j is refused and not half understood', async filter => {
    const url = `${directory.baseUrl}/Users?filter=${encodeURIComponent(filter)}`;
    expect(await scim('GET', url)).toMatchObject({ status: 400, body: { scimType: 'invalidFilter' } });
  });

  test('what is not offered yet says so', async () => {
    expect((await scim('GET', `${directory.baseUrl}/Groups`)).status).toBe(501);
  });
});
