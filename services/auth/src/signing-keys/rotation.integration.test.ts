// That another key signs, over HTTP: in stages, while people go on signing in, and at once where one is compromised.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newEventId, platformTenantId, serviceCause, type TenantId } from '@reeve/contracts';
import { type EventReader, eventually, readEvents } from '@reeve/testing';
import { decodeProtectedHeader } from 'jose';
import { type Application, type Auth, startAuth } from '../auth.test-support.ts';
import type { KeysOfUse } from './signing-key.ts';
import { createSigningKeys } from './signing-keys.ts';

let auth: Auth;
let events: EventReader;
let tenantId: TenantId;
let application: Application;

beforeAll(async () => {
  auth = await startAuth();
  events = await readEvents('reeve.auth.v1');
  ({ tenantId } = await auth.newTenant());
  await auth.newConnection(tenantId);
  application = await auth.newApplication(tenantId);
  auth.provider.is({ sub: 'ada' });
}, 60_000);
afterAll(async () => {
  await events.stop();
  await auth.stop();
});

type Listed = { code?: string; items: { keyId: string; use: string; stage: string }[] };
const ask = async (method: string, path: string, body?: object) =>
  auth.ask<Listed>(method, path, { as: await auth.asPlatform(), ...(body ? { body } : {}) });
const stages = async (use: string) => {
  const { items } = (await ask('GET', '/v1/signing-keys')).body;
  return items.filter(key => key.use === use).map(({ stage }) => stage);
};
const shown = async () => {
  const { keys } = (await (await fetch(`${auth.url}/jwks`)).json()) as { keys: { kid: string }[] };
  return keys.map(({ kid }) => kid);
};
const signIn = async () => {
  const { tokens, browser } = await auth.signIn(application, { resource: auth.url });
  const kidOf = (name: string) => String(decodeProtectedHeader(tokens[name] ?? '').kid);
  return { tokens, browser, access: kidOf('access_token'), id: kidOf('id_token') };
};
const takes = async ({ tokens }: Awaited<ReturnType<typeof signIn>>) =>
  (await auth.ask('GET', '/v1/me/sessions', { as: tokens['access_token'] ?? '' })).status;

describe('a key that is to follow', () => {
  test('is shown before it signs, and what the one before has signed counts on', async () => {
    const before = await signIn();
    const rotated = await ask('POST', '/v1/signing-keys:rotate', { use: 'access_token', leadSeconds: 5 });
    expect(rotated.body.items.filter(({ use }) => use === 'access_token').map(({ stage }) => stage)).toEqual([
      'signing',
      'next',
    ]);
    const next = rotated.body.items.find(({ stage }) => stage === 'next')?.keyId ?? '';
    expect(await ask('POST', '/v1/signing-keys:rotate', { use: 'access_token' })).toMatchObject({
      status: 409,
      body: { code: 'signing_key_waiting' },
    });
    await eventually('the next one is shown', async () => (await shown()).includes(next));
    const meanwhile = await signIn();
    expect([meanwhile.access, meanwhile.id]).toEqual([before.access, before.id]);
    const after = await eventually(
      'the next one signs',
      async () => {
        const found = await signIn();
        return found.access === next ? found : null;
      },
      15_000,
    );
    expect(await stages('access_token')).toEqual(['signing', 'verifying']);
    expect(after.id).toBe(before.id);
    expect([await takes(before), await takes(meanwhile), await takes(after)]).toEqual([200, 200, 200]);
    expect(await shown()).toEqual(expect.arrayContaining([before.access, next]));
    const told = await events.seen(platformTenantId, 'signing_key.rotated', next);
    expect(told.data).toMatchObject({ actor: { id: 'platform' }, reason: { code: 'requested' } });
  });

  test('leaves hints of those who are signed in as they are', async () => {
    const { tokens, browser } = await signIn();
    await ask('POST', '/v1/signing-keys:rotate', { use: 'id_token', leadSeconds: 5 });
    await eventually(
      'another key signs ID tokens',
      async () => (await signIn()).id !== decodeProtectedHeader(tokens['id_token'] ?? '').kid,
      15_000,
    );
    const hinted = await auth.authorize(application, {
      browser,
      prompt: 'none',
      id_token_hint: tokens['id_token'] ?? '',
    });
    expect(hinted.code).not.toBeNull();
  });
});

test('a key that is compromised is shown no more, and people sign in by another', async () => {
  const before = await signIn();
  await ask('POST', '/v1/signing-keys:rotate', { use: 'access_token', compromised: true });
  // At the instance that was asked it is gone with the answer.
  expect(await shown()).not.toContain(before.access);
  await eventually('every token is by the other', async () => (await ask('GET', '/v1/signing-keys')).status === 200);
  expect(await stages('access_token')).toEqual(['signing']);
  const after = await eventually('another one signs', async () => {
    const found = await signIn();
    return found.access === before.access ? null : found;
  });
  expect(await takes(after)).toBe(200);
});

test('a key whose write nobody knows the outcome of is kept, and one that was refused is not', async () => {
  const vault = new Map<string, string>();
  const states = new Map<string, KeysOfUse>();
  let isCutOff = false;
  const parts = {
    keys: {
      in: () => ({
        getAll: async () => [...states].map(([id, state]) => ({ id, state })),
        change: async (use: string, decide: (state: KeysOfUse | null) => { state: KeysOfUse } | null) => {
          const decided = decide(states.get(use) ?? null);
          if (decided) states.set(use, decided.state);
          // Written, and the answer is lost.
          if (isCutOff) throw new Error('the connection is gone');
          return { state: states.get(use) };
        },
      }),
    },
    vault: {
      put: async (_: string, { id }: { id: string }, text: string) => void vault.set(id, text),
      read: async (_: string, { id }: { id: string }) => Buffer.from(vault.get(id) ?? 'gone'),
      destroy: async (_: string, { id }: { id: string }) => void vault.delete(id),
    },
    clock: { now: () => new Date(), newEventId: () => '' },
    onError: () => undefined,
  };
  const keys = await createSigningKeys(parts as never);
  const cause = serviceCause('auth', { correlationId: newEventId() });
  const how = { because: 'requested', leadMs: 0 } as const;
  isCutOff = true;
  await expect(keys.rotate('accessToken', cause, how)).rejects.toThrow('the connection is gone');
  for (const { keyId } of states.get('accessToken')?.keys ?? []) expect(vault.has(keyId)).toBe(true);
  isCutOff = false;
  await keys.rotate('idToken', cause, { ...how, leadMs: 60_000 });
  const before = vault.size;
  await expect(keys.rotate('idToken', cause, how)).rejects.toThrow('A key is to follow already');
  expect(vault.size).toBe(before);
});

test('keys are the platform’s business', async () => {
  const machine = await auth.newApplication(tenantId, { grantTypes: ['client_credentials'], redirectUris: [] });
  const asked = { grant_type: 'client_credentials', scope: `tenant:${tenantId}`, resource: auth.url };
  const as = (await auth.token(machine, asked)).body['access_token'] ?? '';
  expect((await auth.ask('GET', '/v1/signing-keys', { as })).status).toBe(403);
  const body = { use: 'access_token' };
  expect((await auth.ask('POST', '/v1/signing-keys:rotate', { as, body })).status).toBe(403);
  expect((await ask('POST', '/v1/signing-keys:rotate', { use: 'other' })).status).toBe(400);
  // Nobody could know it by then.
  expect((await ask('POST', '/v1/signing-keys:rotate', { use: 'id_token', leadSeconds: 4 })).status).toBe(400);
});
