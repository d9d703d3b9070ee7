// Every route of every service, taken from its own OpenAPI document: nobody gets in without a token, with one for another service, or with
// another tenant's. Beside each refusal stands the right caller, who is not refused for that reason.
import { beforeAll, describe, expect, test } from '@jest/globals';
import { createApi } from '@reeve/local/api';
import { logWith } from '../support/audit.ts';
import { freshTenant, runningSystem, type TestTenant } from '../support/running-system.ts';

type Operation = { service: string; method: string; path: string };
type Document = { paths: Record<string, Record<string, unknown>> };

const credentials = runningSystem();
const { auth, provisioning, connectorConsent, webhookIngress, audit } = credentials.urls;
const services = { auth, provisioning, connectorConsent, webhookIngress, audit };

const operations: Operation[] = [];
for (const service of Object.values(services)) {
  const { paths } = (await (await fetch(`${service}/openapi.json`)).json()) as Document;
  for (const [path, methods] of Object.entries(paths))
    for (const method of Object.keys(methods)) operations.push({ service, method: method.toUpperCase(), path });
}
const tenantOperations = operations.filter(({ path }) => path.startsWith('/v1/tenants/{tenantId}'));
const named = (list: Operation[]) =>
  list.map(
    operation => [`${operation.method} ${new URL(operation.service).port} ${operation.path}`, operation] as const,
  );

const fill = (path: string, tenantId: string) =>
  path.replace('{tenantId}', tenantId).replaceAll(/\{\w+\}/g, 'usr_00000000-0000-7000-8000-000000000000');

async function call({ service, method, path }: Operation, tenantId: string, token: string | null) {
  const response = await fetch(service + fill(path, tenantId), {
    method,
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
  });
  const problem = response.headers.get('content-type')?.includes('problem+json');
  const code = problem ? ((await response.json()) as { code: string }).code : undefined;
  return { status: response.status, code };
}

let first: TestTenant;
let second: TestTenant;

beforeAll(async () => {
  [first, second] = [await freshTenant(credentials, 'first'), await freshTenant(credentials, 'second')];
});

test('there are routes to try in every service', () => {
  for (const service of Object.values(services))
    expect(tenantOperations.some(operation => operation.service === service)).toBe(true);
});

describe.each(named(operations))('%s', (_, operation) => {
  test('refuses a caller without a token, with a broken one, and with one for another service', async () => {
    const elsewhere = operation.service === audit ? provisioning : audit;
    expect(await call(operation, first.tenant.id, null)).toEqual({ status: 401, code: 'token_missing' });
    expect(await call(operation, first.tenant.id, 'eyJhbGciOiJub25lIn0.e30.')).toEqual({
      status: 401,
      code: 'token_invalid',
    });
    expect(await call(operation, first.tenant.id, await first.api.tokenFor(elsewhere))).toEqual({
      status: 401,
      code: 'token_invalid',
    });
  });
});

describe.each(named(tenantOperations))('%s', (_, operation) => {
  test('is not there for another tenant, by id or by slug, and is for its own', async () => {
    const token = await second.api.tokenFor(operation.service);
    const refused = { status: 404, code: 'not_found' };
    expect(await call(operation, first.tenant.id, token)).toEqual(refused);
    expect(await call(operation, first.tenant.slug, token)).toEqual(refused);
    // What nobody has is answered alike.
    expect(await call(operation, 'ten_00000000-0000-7000-8000-0000000000ff', token)).toEqual(refused);
    const own = await call(operation, first.tenant.id, await first.api.tokenFor(operation.service));
    expect(own.status).not.toBe(401);
    // Only the platform suspends: everything else its own tenant may do, whatever then is missing in this empty request.
    expect(own.status === 403).toBe(operation.path === '/v1/tenants/{tenantId}:suspend');
  });
});

describe('tokens', () => {
  test('a tenant’s client can not get a token for another tenant, nor for the platform', async () => {
    const { tokenFor } = first.api;
    expect(await tokenFor(audit)).toEqual(expect.any(String));
    const created = await first.api.post<{ clientId: string; clientSecret: string }>(
      `${auth}/v1/tenants/${first.tenant.id}/clients`,
      { name: 'greedy' },
    );
    for (const scope of [
      `tenant:${second.tenant.id}`,
      `tenant:${second.tenant.slug}`,
      'platform:admin',
      `tenant:${first.tenant.id} platform:admin`,
    ]) {
      await expect(createApi(credentials, { ...created, scope }).tokenFor(audit)).rejects.toMatchObject({
        status: 400,
        code: 'invalid_scope',
      });
    }
    expect(await createApi(credentials, { ...created, scope: `tenant:${first.tenant.slug}` }).tokenFor(audit)).toEqual(
      expect.any(String),
    );
  });

  test('a resource that is not one of the services is refused', async () => {
    await expect(first.api.tokenFor('https://elsewhere.example')).rejects.toMatchObject({ code: 'invalid_target' });
  });

  test('the platform’s token may be narrowed to one tenant, and then reaches no other', async () => {
    const { clientId, clientSecret } = credentials;
    const narrowed = createApi(credentials, { clientId, clientSecret, scope: `tenant:${first.tenant.id}` });
    expect(await narrowed.get(`${provisioning}/v1/tenants/${first.tenant.id}`)).toMatchObject({ id: first.tenant.id });
    await expect(narrowed.get(`${provisioning}/v1/tenants/${second.tenant.id}`)).rejects.toMatchObject({ status: 404 });
  });

  test('platform access to a tenant is in that tenant’s log, with the stated reason', async () => {
    const { clientId, clientSecret } = credentials;
    const platform = createApi(credentials, { clientId, clientSecret, scope: 'platform:admin' });
    await platform.get(`${provisioning}/v1/tenants/${first.tenant.id}/users`, {
      headers: { 'Reeve-Reason': 'ticket 4711' },
    });
    const log = await logWith(
      { ...first, credentials },
      found => found.some(({ details }) => details['statedReason'] === 'ticket 4711'),
      'the platform’s access',
    );
    expect(log.find(({ details }) => details['statedReason'] === 'ticket 4711')).toMatchObject({
      type: 'access.platform_used',
      actor: { id: clientId },
    });
  });
});
