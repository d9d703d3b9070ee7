// Guessing at the doors where somebody could guess, by where they come from: and that nobody locks out anybody else.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId, type TenantId } from '@reeve/contracts';
import { type Application, type Auth, startAuth } from '../auth.test-support.ts';

let auth: Auth;
let tenantId: TenantId;
let machine: Application;

beforeAll(async () => {
  auth = await startAuth({ REEVE_RATE_LIMITS: 'on', REEVE_TRUST_PROXY: '1' });
  ({ tenantId } = await auth.newTenant());
  machine = await auth.newApplication(tenantId, {
    kind: 'machine',
    grantTypes: ['client_credentials'],
    redirectUris: [],
  });
}, 60_000);
afterAll(() => auth.stop());

async function ask(id: string, secret: string, from: string) {
  const { status, headers } = await fetch(`${auth.url}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${id}:${secret}`)}`, 'x-forwarded-for': from },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: `tenant:${tenantId}`, resource: auth.url }),
  });
  return { status, waits: Number(headers.get('retry-after') ?? 0) > 0 };
}

test('whoever guesses at a secret waits, and its owner elsewhere does not', async () => {
  for (let count = 0; count < 30; count += 1)
    expect(await ask(machine.id, `wrong ${count}`, '198.51.100.1')).toMatchObject({ status: 401 });
  expect(await ask(machine.id, machine.secret, '198.51.100.1')).toEqual({ status: 429, waits: true });
  expect(await ask(machine.id, machine.secret, '198.51.100.2')).toMatchObject({ status: 200 });
  // Nor do other applications at the same place.
  const other = await auth.newApplication(tenantId, {
    kind: 'machine',
    grantTypes: ['client_credentials'],
    redirectUris: [],
  });
  expect(await ask(other.id, other.secret, '198.51.100.1')).toMatchObject({ status: 200 });
});

test('an application that is not there is answered as one that is', async () => {
  const statuses: number[] = [];
  for (let count = 0; count < 31; count += 1) statuses.push((await ask(newId('client'), 'x', '198.51.100.3')).status);
  expect(statuses).toEqual([...Array<number>(30).fill(401), 429]);
});

test('whoever types codes of devices that nobody has waits', async () => {
  const statuses: number[] = [];
  for (let count = 0; count < 31; count += 1) {
    const page = await fetch(`${auth.url}/device`, { headers: { 'x-forwarded-for': '198.51.100.4' } });
    const cookie = page.headers
      .getSetCookie()
      .map(one => one.split(';')[0])
      .join('; ');
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(await page.text())?.[1] ?? '';
    const { status } = await fetch(`${auth.url}/device`, {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie, 'x-forwarded-for': '198.51.100.4' },
      body: new URLSearchParams({ xsrf, user_code: 'BBBB-BBBB' }),
    });
    statuses.push(status);
  }
  expect(statuses).toEqual([...Array<number>(30).fill(400), 429]);
});
