// What an application that nobody registered may say of itself, and how what it says is fetched and kept.

import { generateKeyPairSync } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newEventId, platformTenantId, type TenantId } from '@reeve/contracts';
import type { Clock } from '@reeve/store';
import { createFetchLimits } from '../abuse/fetch-limits.ts';
import { applicationOf } from './client-document.ts';
import { createClientDocuments, keptSeconds } from './client-documents.ts';
import { documentUrl, isAmong } from './document-id.ts';
import { beyond, documentPolicySchema } from './document-policy.ts';
import { type DocumentServer, startDocumentServer } from './document-server.test-support.ts';

let server: DocumentServer;
let now: number;
let hosts: string[];
const clock: Clock = { now: () => new Date(now), newEventId };

beforeAll(async () => {
  server = await startDocumentServer();
});
afterAll(() => server.stop());
beforeEach(() => {
  now = Date.parse('2026-11-27T08:00:00Z');
  hosts = ['127.0.0.1'];
});

const policies = {
  of: async (owner: TenantId) => ({ hosts: owner === platformTenantId ? hosts : ['*'] }),
  forget: () => undefined,
};
const newDocuments = ({ isLimited = false, opened = [server.origin] } = {}) =>
  createClientDocuments({
    policies,
    limits: createFetchLimits({ isLimited }),
    allowedPrivateOrigins: opened,
    clock,
    log: { info: () => undefined },
  });
const good = () => server.publish();

describe('an id', () => {
  const fine = 'https://app.example/client.json';

  test.each([fine, 'https://app.example/a/b', 'https://xn--bcher-kva.example/c'])('can be %s', id => {
    expect(documentUrl(id, [])?.href).toBe(id);
  });

  test.each([
    'cli_00000000-0000-7000-8000-000000000000',
    'http://app.example/client.json',
    'https://app.example',
    'https://app.example/',
    'https://app.example/a/../client.json',
    'https://app.example/./client.json',
    'https://app.example/%2e%2e/client.json',
    'https://app.example/client.json#x',
    'https://app.example/client.json#',
    'https://app.example/client.json?x=1',
    'https://app.example/client.json?',
    'https://user@app.example/client.json',
    'https://user:pass@app.example/client.json',
    'https://app.example:443/client.json',
    'https://app.example:22/client.json',
    'https://app.example:8443/client.json',
    'https://App.example/client.json',
    'HTTPS://app.example/client.json',
    'https://app.example./client.json',
    'https://app.example\\client.json',
    'https://app.example/client .json',
    ' https://app.example/client.json',
    'https://bücher.example/client.json',
    'https://localhost/client.json',
    'https://127.0.0.1/client.json',
    'https://2130706433/client.json',
    'https://0x7f000001/client.json',
    'https://8.8.8.8/client.json',
    'https://169.254.169.254/client.json',
    'https://[::1]/client.json',
    'https://[::ffff:127.0.0.1]/client.json',
    `https://app.example/${'x'.repeat(300)}`,
  ])('can not be %s', id => {
    expect(documentUrl(id, [])).toBeNull();
  });

  test('may lie where a developer has opened the guard, and nowhere beside it', () => {
    const id = 'http://127.0.0.1:4711/client.json';
    expect(documentUrl(id, ['http://127.0.0.1:4711'])?.href).toBe(id);
    expect(documentUrl(id, ['http://127.0.0.1:4712'])).toBeNull();
  });
});

describe('a policy', () => {
  test('names hosts, all below one, or any', () => {
    expect(isAmong('app.example', ['app.example'])).toBe(true);
    expect(isAmong('app.example', ['*'])).toBe(true);
    expect(isAmong('a.app.example', ['*.app.example'])).toBe(true);
    for (const host of ['app.example', 'evilapp.example', 'app.example.evil'])
      expect(isAmong(host, ['*.app.example'])).toBe(false);
    expect(isAmong('a.app.example', ['app.example'])).toBe(false);
    expect(isAmong('app.example', [])).toBe(false);
  });

  test('of a tenant goes no further than the platform’s', () => {
    const platform = { hosts: ['*.app.example', 'other.example'] };
    expect(beyond({ hosts: ['a.app.example', '*.b.app.example', 'other.example'] }, platform)).toBeUndefined();
    expect(beyond({ hosts: [] }, platform)).toBeUndefined();
    for (const host of ['*', 'app.example', '*.example', '*.other.example'])
      expect(beyond({ hosts: [host] }, platform)).toBe(host);
  });

  test.each(['', 'https://app.example', 'app.example/x', 'App.example', '*app.example', 'a.*.example', 'a:443', '*.'])(
    'can not name %j',
    host => {
      expect(documentPolicySchema.safeParse({ hosts: [host] }).success).toBe(false);
    },
  );
});

describe('a document', () => {
  const url = new URL('https://app.example/client.json');
  const { kty, crv, x, y, d } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  const key = { kty, crv, x, y };
  const byKey = { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key] } };
  const said = {
    client_id: url.href,
    client_name: 'An app',
    redirect_uris: ['https://app.example/callback'],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'none',
    logo_uri: 'https://169.254.169.254/logo.png',
  };
  const read = (change: object) => applicationOf(url, JSON.stringify({ ...said, ...change }));

  test('makes an application that has no secret, no tenant, no way to Reeve, and PKCE', () => {
    expect(read({})).toMatchObject({
      id: url.href,
      name: 'app.example',
      document: { host: 'app.example', name: 'An app' },
      kind: 'web',
      grantTypes: ['authorization_code', 'refresh_token'],
      authentication: { method: 'none' },
      pkceRequired: true,
      secrets: [],
      areas: [],
      isPlatform: false,
      defaultResource: null,
      defaultScopes: [],
      backchannelLogoutUri: null,
    });
  });

  test.each([
    ['says little', { client_name: undefined, grant_types: undefined, token_endpoint_auth_method: undefined }],
    ['proves itself by a key', byKey],
    ['has its keys elsewhere', { ...byKey, jwks: undefined, jwks_uri: 'https://app.example/jwks' }],
    ['is for more than we do', { grant_types: [...said.grant_types, 'client_credentials'], software_version: 7 }],
    ['goes to this machine', { redirect_uris: ['http://127.0.0.1/callback', 'http://localhost:1/x'] }],
  ])('is one that %s', (_, change) => {
    const application = read(change);
    expect(application).not.toBeNull();
    expect(application?.grantTypes).not.toContain('client_credentials');
  });

  test.each([
    ['of another URL', { client_id: 'https://app.example/other.json' }],
    ['of another host', { client_id: 'https://evil.example/client.json' }],
    ['whose URL is written otherwise', { client_id: 'https://APP.example/client.json' }],
    ['without a URL', { client_id: undefined }],
    ['with a secret', { client_secret: 'x' }],
    ['with a secret that is none', { client_secret: null }],
    ['with the end of a secret', { client_secret_expires_at: 0 }],
    ['by a secret', { token_endpoint_auth_method: 'client_secret_basic' }],
    ['by a secret in a JWT', { token_endpoint_auth_method: 'client_secret_jwt' }],
    ['by TLS', { token_endpoint_auth_method: 'tls_client_auth' }],
    ['by a key that everybody can read', { ...byKey, jwks: { keys: [{ ...key, d }] } }],
    ['with a symmetric key', { jwks: { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] } }],
    ['by a key that is not there', { token_endpoint_auth_method: 'private_key_jwt' }],
    ['with keys in the clear', { ...byKey, jwks: undefined, jwks_uri: 'http://app.example/jwks' }],
    ['that goes nowhere', { redirect_uris: [] }],
    ['that goes there in the clear', { redirect_uris: ['http://app.example/callback'] }],
    ['that goes to https on this machine', { redirect_uris: ['https://localhost/callback'] }],
    ['that goes to a script', { redirect_uris: ['javascript:alert(1)'] }],
    ['that goes to another program', { redirect_uris: ['com.example.app:/callback'] }],
    ['that goes to a fragment', { redirect_uris: ['https://app.example/callback#x'] }],
    ['that goes to somebody', { redirect_uris: ['https://user@app.example/callback'] }],
    ['without codes', { grant_types: ['implicit'] }],
    ['without codes in answers', { response_types: ['token'] }],
    ['with a name of many pages', { client_name: 'x'.repeat(201) }],
  ])('can be none %s', (_, change) => {
    expect(read({})).not.toBeNull();
    expect(read(change)).toBeNull();
  });

  test.each(['', '[]', 'null', '"x"', '{', '<html>'])('can not be %j', text => {
    expect(applicationOf(url, text)).toBeNull();
  });

  test.each([
    ['An app', 'An app'],
    [' An\u202e app\n\u0007', 'An app'],
    ['', null],
    ['\u200b\u2028', null],
    ['x'.repeat(200), 'x'.repeat(60)],
    ['😀'.repeat(90), '😀'.repeat(60)],
  ])('that calls itself %j is called %j', (client_name, name) => {
    expect(read({ client_name })?.document.name).toBe(name);
  });

  test('is known by what a person sees of it and what it proves itself by', () => {
    const hash = (change: object) => read(change)?.document.sha256;
    const changes = [
      {},
      { client_name: 'Another' },
      { redirect_uris: ['https://app.example/other'] },
      byKey,
      { ...byKey, jwks: undefined, jwks_uri: 'https://app.example/jwks' },
    ];
    expect(new Set(changes.map(hash)).size).toBe(changes.length);
    expect(hash({ software_version: '2' })).toBe(hash({}));
  });
});

describe('a fetch', () => {
  test('takes what a host answers by 200 as JSON', async () => {
    const { id, path } = good();
    expect(await newDocuments().find(id)).toMatchObject({ id });
    const { body } = { body: JSON.stringify({ client_id: id, redirect_uris: ['https://a.example/c'] }) };
    for (const type of ['application/json; charset=utf-8', 'application/vnd.client+json', 'APPLICATION/JSON']) {
      server.answers(path, { headers: { 'content-type': type }, body });
      expect(await newDocuments().find(id)).toMatchObject({ id });
    }
  });

  test.each([
    ['301', { status: 301, headers: { location: '/app-1.json' } }],
    ['302 to an address inside', { status: 302, headers: { location: 'http://169.254.169.254/' } }],
    ['201', { status: 201 }],
    ['206', { status: 206 }],
    ['404', { status: 404 }],
    ['500', { status: 500 }],
    ['a page', { headers: { 'content-type': 'text/html' } }],
    ['no type', { headers: { 'content-type': '' } }],
    ['text that looks like JSON', { headers: { 'content-type': 'text/json' } }],
    ['a type that begins so', { headers: { 'content-type': 'application/jsonp' } }],
  ])('takes none that is answered by %s, and asks again', async (_, wrong) => {
    const { id, path } = good();
    const body = JSON.stringify({ client_id: id, redirect_uris: ['https://a.example/c'] });
    server.answers(path, { body, ...wrong });
    const documents = newDocuments();
    expect(await documents.find(id)).toBeNull();
    server.answers(path, { body });
    expect(await documents.find(id)).toMatchObject({ id });
    expect(server.asked(path)).toBe(2);
  });

  test('reads five kilobytes, packed or not, and no more', async () => {
    const padded = (id: string, bytes: number) =>
      JSON.stringify({ client_id: id, redirect_uris: ['https://a.example/c'], x: 'x'.repeat(bytes) });
    const { id, path } = good();
    const gzip = { 'content-encoding': 'gzip' };
    server.answers(path, { headers: gzip, body: gzipSync(padded(id, 4_000)) });
    expect(await newDocuments().find(id)).toMatchObject({ id });
    server.answers(path, { body: padded(id, 6_000) });
    expect(await newDocuments().find(id)).toBeNull();
    const bomb = gzipSync(padded(id, 50_000_000));
    server.answers(path, { headers: gzip, body: bomb });
    expect(await newDocuments().find(id)).toBeNull();
  });

  test('waits five seconds', async () => {
    const { id, path } = good();
    server.answers(path, 'silence');
    const began = performance.now();
    expect(await newDocuments().find(id)).toBeNull();
    expect(performance.now() - began).toBeLessThan(8_000);
  }, 15_000);

  test('is none of where the platform takes nothing from, nor of where the guard is not opened', async () => {
    const { id, path } = good();
    hosts = [];
    expect(await newDocuments().find(id)).toBeNull();
    hosts = ['app.example'];
    expect(await newDocuments().find(id)).toBeNull();
    hosts = ['*'];
    expect(await newDocuments({ opened: [] }).find(id)).toBeNull();
    expect(server.asked(path)).toBe(0);
    expect(await newDocuments().find(id)).toMatchObject({ id });
  });

  test('is none where only the URL matters', async () => {
    const { id, path } = good();
    const documents = newDocuments();
    const unread = await documents.findUnread(id);
    expect(unread).toMatchObject({ id, tenants: 'all', areas: [], surface: 'third_party', document: { name: null } });
    expect(server.asked(path)).toBe(0);
    expect((await documents.find(id))?.document?.name).not.toBeNull();
    now += 3_601_000;
    server.answers(path, { status: 410 });
    expect((await documents.findUnread(id))?.document?.name).not.toBeNull();
    expect(server.asked(path)).toBe(1);
    hosts = ['app.example'];
    for (const other of [id, 'https://app.example/', 'nonsense']) expect(await documents.findUnread(other)).toBeNull();
  });

  test('is one, however many ask at once', async () => {
    const { id, path } = good();
    const documents = newDocuments();
    const found = await Promise.all(Array.from({ length: 20 }, () => documents.find(id)));
    expect(found.every(one => one?.id === id)).toBe(true);
    expect(server.asked(path)).toBe(1);
  });

  test('is kept for five minutes at least and an hour at most', async () => {
    const { id, path } = good();
    const documents = newDocuments();
    const later = async (ms: number) => {
      now += ms;
      await documents.find(id);
      return server.asked(path);
    };
    expect([await later(0), await later(299_000), await later(2_000)]).toEqual([1, 1, 2]);
    const body = JSON.stringify({ client_id: id, redirect_uris: ['https://a.example/c'] });
    server.answers(path, { headers: { 'cache-control': 'public, max-age=86400' }, body });
    expect([await later(301_000), await later(3_599_000), await later(2_000)]).toEqual([3, 3, 4]);
    // What is no more is no more, however good it was.
    server.answers(path, { status: 410 });
    now += 3_601_000;
    expect(await documents.find(id)).toBeNull();
  });

  test.each([
    ['', 300],
    ['no-store', 300],
    ['max-age=0', 300],
    ['max-age=1200', 1_200],
    ['public,max-age=1200', 1_200],
    ['max-age=99999999999999', 3_600],
    ['max-age=999999', 3_600],
    ['s-maxage=1200', 300],
  ])('by %j is kept for %d seconds', (said, seconds) => {
    expect(keptSeconds(new Headers({ 'cache-control': said }))).toBe(seconds);
  });
});

test('nobody has us fetch without end', async () => {
  const documents = newDocuments({ isLimited: true });
  const { id, path } = good();
  expect(await documents.find(id)).toMatchObject({ id });
  for (let tried = 1; tried < 30; tried += 1)
    expect(await documents.find(`${server.origin}/nothing-${tried}.json`)).toBeNull();
  const more = documents.find(`${server.origin}/nothing-more.json`);
  await expect(more).rejects.toMatchObject({ code: 'rate_limited' });
  // What is known is still known, and is read again.
  now += 301_000;
  expect(await documents.find(id)).toMatchObject({ id });
  expect(server.asked(path)).toBe(2);
});

test('a host is asked so often by all together, and others are asked still', async () => {
  const limits = createFetchLimits({ isLimited: true });
  for (let tried = 0; tried < 120; tried += 1)
    await limits.assertMayFetch({ ip: `10.0.0.${tried}`, host: 'a.example' });
  const from = { ip: '10.0.1.1' };
  await expect(limits.assertMayFetch({ ...from, host: 'a.example' })).rejects.toMatchObject({ code: 'rate_limited' });
  await limits.assertMayFetch({ ...from, host: 'b.example' });
});
