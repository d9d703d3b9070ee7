// Viewer tokens as they stand when whoever made them is gone, in the service as it runs.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { event, type Id, newId, type TenantId } from '@reeve/contracts';
import {
  type Announcer,
  callers,
  eventually,
  type RunningService,
  startAnnouncer,
  startService,
  vaultKeyFile,
} from '@reeve/testing';
import { configSchema } from '../config.ts';
import { createService } from '../service.ts';

const caughtUpMs = 60_000;

type As = ReturnType<typeof callers.person>;
type Created = { id: string; token: string; createdBy: string };
type Listed = { items: { id: string; createdBy: string; revokedAt: string | null }[] };

let announcer: Announcer;
let service: RunningService;
let tenantId: TenantId;
let path: string;

beforeAll(async () => {
  announcer = await startAnnouncer();
  const keyFile = vaultKeyFile();
  const environment = { REEVE_VAULT_KEY_FILE: keyFile.path };
  service = await startService({ name: 'audit', schema: configSchema, create: createService, environment });
  keyFile.remove();
  ({ id: tenantId } = await announcer.newTenant());
  path = `/v1/tenants/${tenantId}/audit`;
  await eventually('the tenant', async () => (await list()).status === 200, caughtUpMs);
  // What other tests left on the topics comes first.
  const viewer = await made(callers.person(tenantId));
  await announcer.announce(tenantId, ofUser('user.deleted')(viewer.createdBy));
  await eventually('its end', () => isRefused(viewer), caughtUpMs);
}, 150_000);
afterAll(async () => {
  await service.stop();
  await announcer.stop();
});

const list = () => service.ask<Listed>('GET', `${path}/viewer-tokens`, { as: callers.tenantClient(tenantId) });

async function made(as: As): Promise<Created> {
  const { status, body } = await service.ask<Created>('POST', `${path}/viewer-tokens`, { as, body: { name: 'page' } });
  expect([status, body.createdBy]).toEqual([201, as.sub]);
  return body;
}

const reads = async ({ token }: Created) => (await service.ask('GET', `${path}/events`, { as: token })).status;
const isRefused = async (viewer: Created) => (await reads(viewer)) === 401;

const person = { email: null, source: 'admin', cause: 'requested' };
const ofUser = (type: 'user.deactivated' | 'user.deleted' | 'user.reactivated') => (id: string) =>
  event(type, { id: id as Id<'user'>, because: 'requested', details: person });
const clientDeleted = (id: string) =>
  event('client.deleted', { id: id as Id<'client'>, because: 'requested', details: { scopes: [], grantTypes: [] } });

describe('the viewer tokens', () => {
  test.each([
    ['a person who is deactivated', () => callers.person(tenantId), ofUser('user.deactivated')],
    ['a person who is deleted', () => callers.person(tenantId), ofUser('user.deleted')],
    ['a client that is deleted', () => callers.tenantClient(tenantId), clientDeleted],
  ])('of %s are refused, and nobody else’s', async (_, maker, end) => {
    const as = maker();
    const [one, another, others] = [await made(as), await made(as), await made(maker())];
    expect(await Promise.all([one, another, others].map(reads))).toEqual([200, 200, 200]);
    await announcer.announce(tenantId, end(String(as.sub)));
    await eventually('the tokens to be refused', () => isRefused(one));
    expect(await Promise.all([one, another, others].map(reads))).toEqual([401, 401, 200]);
    const { items } = (await list()).body;
    const shown = (viewer: Created) => items.find(({ id }) => id === viewer.id);
    expect(shown(one)).toMatchObject({ createdBy: as.sub, revokedAt: expect.any(String) });
    expect(shown(others)).toMatchObject({ revokedAt: null });
  });

  const roleOf = (type: 'role.assigned' | 'role.unassigned', id: string, role: string) =>
    event(type, { id: id as Id<'user'>, because: 'requested', details: { userId: id as Id<'user'>, role } });

  test('of an administrator who is none any more are refused, until they are one again', async () => {
    const as = callers.person(tenantId);
    const viewer = await made(as);
    await announcer.announce(tenantId, roleOf('role.unassigned', viewer.createdBy, 'tenant_member'));
    const last = await made(callers.person(tenantId));
    await announcer.announce(tenantId, ofUser('user.deleted')(last.createdBy));
    await eventually('what came after it', () => isRefused(last));
    expect(await reads(viewer)).toBe(200);
    await announcer.announce(tenantId, roleOf('role.unassigned', viewer.createdBy, 'tenant_admin'));
    await eventually('it to be refused', () => isRefused(viewer));
    await announcer.announce(tenantId, roleOf('role.assigned', viewer.createdBy, 'tenant_admin'));
    await eventually('new ones to be good', async () => (await reads(await made(as))) === 200);
    expect(await reads(viewer)).toBe(401);
  });

  test.each([
    ['the areas', ['areas'], 401],
    ['the secret, at once', ['secret', 'tokens'], 401],
    ['the secret, with an overlap', ['secret'], 200],
    ['the name', ['name'], 200],
  ])('of a client that has changed by %s are refused where its own tokens are', async (_, changed, status) => {
    const as = callers.tenantClient(tenantId);
    const viewer = await made(as);
    const last = await made(callers.person(tenantId));
    const details = { scopes: [], grantTypes: [], changed };
    await announcer.announce(
      tenantId,
      event('client.updated', { id: viewer.createdBy as Id<'client'>, because: 'requested', details }),
    );
    await announcer.announce(tenantId, ofUser('user.deleted')(last.createdBy));
    await eventually('what came after it', () => isRefused(last));
    await eventually('it to be settled', async () => (await reads(viewer)) === status);
    expect(await reads(await made(as))).toBe(200);
  });

  test('that are still made before it is known everywhere are refused as well', async () => {
    const as = callers.person(tenantId);
    const first = await made(as);
    await announcer.announce(tenantId, ofUser('user.deactivated')(String(as.sub)));
    await eventually('the first to be refused', () => isRefused(first));
    expect(await reads(await made(as))).toBe(401);
  });

  test('of a person who comes back stay refused, and new ones are good', async () => {
    const as = callers.person(tenantId);
    const before = await made(as);
    await announcer.announce(tenantId, ofUser('user.deactivated')(String(as.sub)));
    await eventually('it to be refused', () => isRefused(before));
    await announcer.announce(tenantId, ofUser('user.reactivated')(String(as.sub)));
    await eventually('new ones to be good', async () => (await reads(await made(as))) === 200);
    expect(await reads(before)).toBe(401);
  });

  test('of another tenant are nobody’s to end', async () => {
    const as = callers.person(tenantId);
    const viewer = await made(as);
    const last = await made(callers.person(tenantId));
    await announcer.announce(newId('tenant'), ofUser('user.deleted')(String(as.sub)));
    await announcer.announce(tenantId, ofUser('user.deleted')(last.createdBy));
    await eventually('what came after it', () => isRefused(last));
    expect(await reads(viewer)).toBe(200);
  });
});
