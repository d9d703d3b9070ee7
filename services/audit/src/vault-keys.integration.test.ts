// What `reeve vault` asks of a service with a vault, in one of them as it runs.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { event, newId, serviceCause } from '@reeve/contracts';
import { openStore } from '@reeve/store';
import { callers, eventually, type RunningService, startAnnouncer, startService, vaultKeyFile } from '@reeve/testing';
import { createVault, localKeyFile, SecretMissingError, vaultCollections } from '@reeve/vault';
import { configSchema } from './config.ts';
import { createService } from './service.ts';

let service: RunningService;
let keys: ReturnType<typeof localKeyFile>;

beforeAll(async () => {
  const keyFile = vaultKeyFile();
  const environment = { REEVE_VAULT_KEY_FILE: keyFile.path };
  service = await startService({ name: 'audit', schema: configSchema, create: createService, environment });
  keys = localKeyFile(keyFile.path);
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

test('the secrets of a tenant that was deleted are destroyed', async () => {
  const announcer = await startAnnouncer({ as: 'provisioning' });
  const { id: tenantId, slug } = await announcer.newTenant();
  const store = openStore({
    uri: service.config.MONGODB_URI,
    database: service.config.MONGODB_DATABASE,
    source: '/test',
    contents: { collections: vaultCollections },
  });
  const vault = createVault({ store, keys });
  const ref = { secretClass: 'test', id: 'one' };
  const cause = serviceCause('test', { correlationId: newId('request') });
  const read = () => vault.read(tenantId, ref, { cause, purpose: 'test' });
  await vault.put(tenantId, ref, 'theirs', cause);
  expect((await read()).toString()).toBe('theirs');
  await announcer.announce(
    tenantId,
    event('tenant.deleted', { id: tenantId, name: slug, because: 'requested', details: { slug } }),
  );
  await eventually(
    'it to be destroyed',
    () =>
      read().then(
        () => false,
        error => error instanceof SecretMissingError,
      ),
    60_000,
  );
  await store.close();
  await announcer.stop();
}, 90_000);

test('a service whose keys are out of reach waits for them, and then ends with the reason', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'reeve-token-'));
  const token = join(directory, 'token');
  writeFileSync(token, 'token');
  const environment = {
    REEVE_VAULT_TRANSIT_URL: 'http://127.0.0.1:1',
    REEVE_VAULT_TRANSIT_KEY: 'reeve',
    REEVE_VAULT_TRANSIT_TOKEN_FILE: token,
    REEVE_START_SECONDS: '1',
  };
  const starting = startService({ name: 'audit', schema: configSchema, create: createService, environment });
  await expect(starting).rejects.toMatchObject({ code: 'key_service_unavailable' });
  rmSync(directory, { recursive: true });
}, 60_000);
