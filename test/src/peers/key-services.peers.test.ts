// What holds the keys of the vault, as others wrote it: OpenBao's transit engine, and moto in the place of AWS KMS.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { OAuthClient } from '@reeve/local/oauth-clients';
import { freePort } from '@reeve/local/ports';
import { listen } from '@reeve/testing';
import { given } from '@reeve/testing/given';
import { keyManagementSettings, openKeyManagement } from '@reeve/vault';
import { Agent, fetch as fetchBy } from 'undici';
import { z } from 'zod';
import { type RunningProgram, startProgram } from '../support/running-program.ts';
import { lackingMoto, lackingOpenBao, runningPeers } from './running-peers.ts';

const { openBao, moto } = runningPeers();
const directory = mkdtempSync(join(tmpdir(), 'reeve-key-services-'));
afterAll(() => rmSync(directory, { recursive: true }));
const file = (name: string, text: string) => {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
};
const managementBy = (settings: Record<string, string>) =>
  openKeyManagement(z.object(keyManagementSettings).parse(settings));
const binding = (...parts: string[]) => JSON.stringify(parts);
const [mine, theirs] = [binding('ten_1', 'connection'), binding('ten_2', 'connection')];
const dataKey = randomBytes(32);

given(openBao !== null, lackingOpenBao).describe('keys in OpenBao', () => {
  const root = 'root';
  let server: RunningProgram;
  let url = '';
  let trusting: Agent;

  beforeAll(async () => {
    const port = await freePort();
    url = `https://127.0.0.1:${port}`;
    server = startProgram({
      command: String(openBao),
      args: [
        'server',
        '-dev',
        '-dev-tls',
        `-dev-tls-cert-dir=${directory}`,
        `-dev-root-token-id=${root}`,
        `-dev-listen-address=127.0.0.1:${port}`,
      ],
      env: { HOME: directory },
    });
    await server.says('Root Token: root');
    trusting = new Agent({ connect: { ca: readFileSync(caFile(), 'utf8') } });
    await ask('sys/mounts/keys', { type: 'transit' });
    await ask('sys/policies/acl/reeve', {
      policy:
        'path "keys/encrypt/reeve" { capabilities = ["update"] } path "keys/decrypt/reeve" { capabilities = ["update"] }',
    });
  }, 60_000);
  afterAll(async () => {
    await trusting.close();
    await server.stop();
  });

  const caFile = () => join(directory, 'vault-ca.pem');
  async function ask<T = unknown>(path: string, body: object = {}): Promise<T> {
    const response = await fetchBy(`${url}/v1/${path}`, {
      method: 'POST',
      headers: { 'x-vault-token': root, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      dispatcher: trusting,
    });
    if (!response.ok) throw new Error(`${response.status} for ${path}: ${await response.text()}`);
    return (response.status === 204 ? null : await response.json()) as T;
  }
  const newToken = async (settings: object = {}) =>
    (await ask<{ auth: { client_token: string } }>('auth/token/create', { policies: ['reeve'], ...settings })).auth
      .client_token;
  /** With a token that may wrap and open, and nothing else. */
  const settings = async (own: Record<string, string> = {}) => ({
    REEVE_VAULT_TRANSIT_URL: url,
    REEVE_VAULT_TRANSIT_MOUNT: 'keys',
    REEVE_VAULT_TRANSIT_KEY: 'reeve',
    REEVE_VAULT_TRANSIT_CA_FILE: caFile(),
    REEVE_VAULT_TRANSIT_TOKEN_FILE: file('token', await newToken()),
    ...own,
  });
  const newKey = (type = 'aes256-gcm96') =>
    ask('keys/keys/reeve/config', { deletion_allowed: true })
      .then(() =>
        fetchBy(`${url}/v1/keys/keys/reeve`, {
          method: 'DELETE',
          headers: { 'x-vault-token': root },
          dispatcher: trusting,
        }),
      )
      .catch(() => undefined)
      .then(() => ask('keys/keys/reeve', { type }));

  test('wrap a data key for one tenant and class, and open it for no other', async () => {
    await newKey();
    const keys = managementBy(await settings());
    await keys.assertUsable();
    const wrapped = await keys.wrap(dataKey, mine);
    expect(wrapped).toMatchObject({ kind: 'transit', keyId: 'reeve:v1' });
    expect(await keys.unwrap(wrapped, mine)).toEqual(dataKey);
    for (const other of [theirs, binding('ten_1', 'signing-key')]) {
      const error = await keys.unwrap(wrapped, other).catch((refused: unknown) => refused);
      expect(error).toMatchObject({ name: 'Error', message: expect.stringContaining('does not open') });
    }
  });

  test('and with a key that does not tie to a context no service starts', async () => {
    await newKey('rsa-2048');
    await expect(managementBy(await settings()).assertUsable()).rejects.toMatchObject({ code: 'key_unusable' });
  });

  test('open by a version that was rotated away, until it is taken away', async () => {
    await newKey();
    const keys = managementBy(await settings());
    const old = await keys.wrap(dataKey, mine);
    await ask('keys/keys/reeve/rotate');
    const fresh = await keys.wrap(dataKey, mine);
    expect([old.keyId, fresh.keyId]).toEqual(['reeve:v1', 'reeve:v2']);
    expect(await keys.unwrap(old, mine)).toEqual(dataKey);
    await ask('keys/keys/reeve/config', { min_decryption_version: 2 });
    await expect(keys.unwrap(old, mine)).rejects.toMatchObject({ code: 'key_unusable' });
    expect(await keys.unwrap(fresh, mine)).toEqual(dataKey);
  });

  test('are not reached by an authority that nobody trusts', async () => {
    await newKey();
    const { REEVE_VAULT_TRANSIT_CA_FILE: _, ...untrusting } = await settings();
    await expect(managementBy(untrusting).wrap(dataKey, mine)).rejects.toMatchObject({
      code: 'key_service_unavailable',
    });
    await managementBy(await settings()).wrap(dataKey, mine);
  });

  test('are refused to a token that has ended, until another one is in the file', async () => {
    await newKey();
    const keys = managementBy(await settings());
    const wrapped = await keys.wrap(dataKey, mine);
    const ended = await newToken({ ttl: '1s', explicit_max_ttl: '1s' });
    file('token', ended);
    expect(await keys.unwrap(wrapped, mine)).toEqual(dataKey);
    await new Promise(resolve => setTimeout(resolve, 1_500));
    await expect(keys.unwrap(wrapped, mine)).rejects.toMatchObject({ code: 'key_service_denied' });
    file('token', await newToken());
    expect(await keys.unwrap(wrapped, mine)).toEqual(dataKey);
  });

  test('are opened by the service account of Kubernetes, and again when its token was revoked', async () => {
    await newKey();
    // In the place of Kubernetes, which OpenBao asks whose token it is.
    const account = { username: 'system:serviceaccount:reeve:reeve-auth', uid: 'u1', groups: [] };
    const review = { status: { authenticated: true, user: account, audiences: ['reeve'] } };
    const reviews = createServer((_request, response) =>
      response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(review)),
    );
    const kubernetes = await listen(reviews);
    try {
      await ask('sys/auth/kubernetes', { type: 'kubernetes' });
      await ask('auth/kubernetes/config', {
        kubernetes_host: kubernetes.url,
        token_reviewer_jwt: 'reviewer',
        disable_local_ca_jwt: true,
        kubernetes_ca_cert: readFileSync(caFile(), 'utf8'),
        disable_iss_validation: true,
      });
      const role = (name: string) => ({
        bound_service_account_names: [name],
        bound_service_account_namespaces: ['reeve'],
        token_policies: ['reeve'],
        token_ttl: '1h',
      });
      await ask('auth/kubernetes/role/reeve', role('reeve-auth'));
      await ask('auth/kubernetes/role/other', role('other'));
      const part = (content: object) => Buffer.from(JSON.stringify(content)).toString('base64url');
      const claims = {
        sub: 'system:serviceaccount:reeve:reeve-auth',
        aud: ['reeve'],
        iat: Math.floor(Date.now() / 1_000) - 10,
        nbf: Math.floor(Date.now() / 1_000) - 10,
        exp: Math.floor(Date.now() / 1_000) + 600,
        'kubernetes.io': { namespace: 'reeve', serviceaccount: { name: 'reeve-auth', uid: 'u1' } },
      };
      const { REEVE_VAULT_TRANSIT_TOKEN_FILE: _, ...address } = await settings();
      const as = (name: string) =>
        managementBy({
          ...address,
          REEVE_VAULT_TRANSIT_ROLE: name,
          REEVE_VAULT_TRANSIT_JWT_FILE: file('jwt', `${part({ alg: 'RS256' })}.${part(claims)}.c2ln`),
        });
      const keys = as('reeve');
      const wrapped = await keys.wrap(dataKey, mine);
      await ask('sys/leases/revoke-prefix/auth/kubernetes/login');
      expect(await keys.unwrap(wrapped, mine)).toEqual(dataKey);
      await expect(as('other').unwrap(wrapped, mine)).rejects.toMatchObject({ code: 'key_service_denied' });
    } finally {
      await kubernetes.stop();
    }
  });

  test('wait while it is sealed', async () => {
    await newKey();
    const keys = managementBy(await settings());
    await keys.wrap(dataKey, mine);
    await ask('sys/seal');
    await expect(keys.wrap(dataKey, mine)).rejects.toMatchObject({ code: 'key_service_unavailable' });
  });
});

given(moto !== null, lackingMoto).describe('keys in AWS KMS', () => {
  let server: RunningProgram;
  let url = '';
  const credentials = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };

  beforeAll(async () => {
    Object.assign(process.env, credentials);
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const { command, env } = moto as OAuthClient;
    server = startProgram({ command, args: ['-m', 'moto.server', '-p', String(port)], env });
    await server.says('Running on');
  }, 60_000);
  afterAll(async () => {
    for (const name of Object.keys(credentials)) delete process.env[name];
    await server.stop();
  });

  async function ask<T = unknown>(operation: string, body: object = {}): Promise<T> {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'x-amz-target': `TrentService.${operation}`,
        'content-type': 'application/x-amz-json-1.1',
        authorization:
          'AWS4-HMAC-SHA256 Credential=test/20261128/eu-central-1/kms/aws4_request, SignedHeaders=host, Signature=x',
      },
      body: JSON.stringify(body),
    });
    return (await response.json()) as T;
  }
  const newKey = async () => (await ask<{ KeyMetadata: { Arn: string } }>('CreateKey')).KeyMetadata.Arn;
  const settings = (arn: string) => ({ REEVE_VAULT_KMS_KEY_ARN: arn, REEVE_VAULT_KMS_ENDPOINT: url });

  test('wrap a data key for one tenant and class, and open it for no other', async () => {
    const arn = await newKey();
    const keys = managementBy(settings(arn));
    await keys.assertUsable();
    const wrapped = await keys.wrap(dataKey, mine);
    expect(wrapped).toMatchObject({ kind: 'aws_kms', keyId: arn });
    expect(await keys.unwrap(wrapped, mine)).toEqual(dataKey);
    for (const other of [theirs, binding('ten_1', 'signing-key')]) {
      const error = await keys.unwrap(wrapped, other).catch((refused: unknown) => refused);
      expect(error).toMatchObject({ name: 'Error', message: 'a wrapped key does not open' });
    }
  });

  test('are followed by others, whose predecessors open until they are left out', async () => {
    const [old, next] = [await newKey(), await newKey()];
    const wrapped = await managementBy(settings(old)).wrap(dataKey, mine);
    const both = managementBy({ ...settings(next), REEVE_VAULT_KMS_FORMER_KEY_ARNS: old });
    expect(await both.unwrap(wrapped, mine)).toEqual(dataKey);
    expect((await both.wrap(dataKey, mine)).keyId).toBe(next);
    await expect(managementBy(settings(next)).unwrap(wrapped, mine)).rejects.toMatchObject({ code: 'key_unusable' });
  });

  // moto goes on with a key that is disabled: what AWS answers then is in the test of the adapter.
  test('have a code when they are not there', async () => {
    const arn = await newKey();
    await managementBy(settings(arn)).wrap(dataKey, mine);
    const none = managementBy(settings(`${arn.slice(0, -12)}000000000000`));
    await expect(none.wrap(dataKey, mine)).rejects.toMatchObject({ code: 'key_unusable' });
  });
});
