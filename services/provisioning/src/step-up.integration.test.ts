// What a tenant demands of its people's sign-ins at auth is asked of them here as well.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mattersAlways, newId, revocationDraft } from '@reeve/contracts';
import { type Announcer, callers, eventually, type RunningService, startAnnouncer } from '@reeve/testing';
import { newTenant, newUser, startProvisioning } from './provisioning.test-support.ts';

const [mfa, resistant] = ['urn:reeve:acr:mfa', 'urn:reeve:acr:phishing-resistant'];

let provisioning: RunningService;
let announcer: Announcer;

beforeAll(async () => {
  [provisioning, announcer] = await Promise.all([startProvisioning(), startAnnouncer()]);
}, 60_000);
afterAll(() => Promise.all([provisioning.stop(), announcer.stop()]));

test('an action that the tenant demands a level for asks for it, and how fresh, and no other tenant does', async () => {
  const [tenantId, other] = [await newTenant(provisioning), await newTenant(provisioning)];
  const administratorOf = async (of: typeof tenantId, said: object = {}) => {
    const email = `${newId('request')}@acme.example`;
    const id = await newUser(provisioning, of, { email, roles: ['tenant_admin'] });
    return { ...callers.person(of, { id, roles: ['tenant_admin'] }), ...said };
  };
  const create = async (of: typeof tenantId, said: object = {}) =>
    provisioning.ask('POST', `/v1/tenants/${of}/users`, {
      as: await administratorOf(of, said),
      body: { email: `${newId('request')}@acme.example` },
    });
  const demand = (demands: { action: string; acrValues: string[]; maxAgeSeconds: number | null }[]) =>
    announcer.announce(tenantId, revocationDraft({ kind: 'step_up', id: tenantId, demands, until: mattersAlways }));
  expect((await create(tenantId)).status).toBe(201);
  await demand([{ action: 'users:write', acrValues: [mfa, resistant], maxAgeSeconds: 600 }]);
  await eventually('the demand', async () => (await create(tenantId)).status === 401);
  const refused = await create(tenantId);
  expect(refused.body).toMatchObject({ code: 'insufficient_user_authentication' });
  expect(refused.headers.get('www-authenticate')).toContain(`acr_values="${mfa}", max_age=600`);
  const old = Math.floor(Date.now() / 1_000) - 700;
  for (const [said, status] of [
    [{ acr: mfa }, 201],
    [{ acr: resistant }, 201],
    [{ acr: mfa, auth_time: old }, 401],
    [{ acr: ` ${mfa}` }, 401],
    [{ acr: 'gold' }, 401],
  ] as const)
    expect([said, (await create(tenantId, said)).status]).toEqual([said, status]);
  // Neither what is not demanded, nor whom: another action, another tenant, a machine.
  const as = await administratorOf(tenantId);
  expect((await provisioning.ask('GET', `/v1/tenants/${tenantId}/users`, { as })).status).toBe(200);
  expect((await create(other)).status).toBe(201);
  const body = { email: `${newId('request')}@acme.example` };
  const machine = callers.tenantClient(tenantId);
  expect((await provisioning.ask('POST', `/v1/tenants/${tenantId}/users`, { as: machine, body })).status).toBe(201);
  await demand([]);
  await eventually('its end', async () => (await create(tenantId)).status === 201);
}, 30_000);
