// What `reeve vault` asks of a service with a vault, in one of them as it runs.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import { callers, type RunningService, startService, vaultKeyFile } from '@reeve/testing';
import { configSchema } from './config.ts';
import { createService } from './service.ts';

let service: RunningService;

beforeAll(async () => {
  const keyFile = vaultKeyFile();
  const environment = { REEVE_VAULT_KEY_FILE: keyFile.path };
  service = await startService({ name: 'audit', schema: configSchema, create: createService, environment });
  keyFile.remove();
}, 60_000);
afterAll(() => service.stop());

const ask = (what: string, as: ReturnType<typeof callers.platform>, body: object = {}) =>
  service.ask('POST', `/v1/vault/data-keys:${what}`, { as, body });

test('the platform counts data keys by the key that wraps them, and has them wrapped anew', async () => {
  // That of the key that signs checkpoints.
  const key = { kind: 'key_file', keyId: 'test' };
  expect(await ask('count', callers.platform())).toMatchObject({
    status: 200,
    body: { newest: key, items: [{ ...key, dataKeys: 1 }], next: null },
  });
  const nothing = { looked: 1, failed: [], next: null };
  expect((await ask('rewrap', callers.platform())).body).toEqual({ ...nothing, rewrapped: 0 });
  expect((await ask('rewrap', callers.platform(), { everything: true })).body).toEqual({ ...nothing, rewrapped: 1 });
});

test.each(['count', 'rewrap'])('who administers a tenant has no part in %s', async what => {
  for (const as of [callers.person(newId('tenant')), callers.tenantClient(newId('tenant'))])
    expect((await ask(what, as)).status).toBe(403);
});

test('a place that is none is refused by its name', async () => {
  const { status, body } = await ask('rewrap', callers.platform(), { after: { tenantId: 'x', secretClass: 'y' } });
  expect([status, body]).toEqual([400, expect.objectContaining({ code: 'input_invalid' })]);
  expect(JSON.stringify(body)).toContain('after.tenantId');
});
