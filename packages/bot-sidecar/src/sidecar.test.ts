// The sidecar against an authorization server of another make, over HTTP.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { listen } from '@reeve/testing';
import express from 'express';
import { exportJWK, generateKeyPair, type JWK, jwtVerify } from 'jose';
import { pino } from 'pino';
import type { Config } from './config.ts';
import { createSidecar } from './sidecar.ts';

const secret = 'the-secret-of-the-bot';
const path = '/AuthorizationHeaderUnauthenticated/default';
const scope = encodeURIComponent('https://api.botframework.com/.default');
const asked = `optionsOverride.Scopes=${scope}&optionsOverride.RequestAppToken=true`;

let stops: (() => Promise<void>)[] = [];
let logged = '';
const log = pino({}, { write: (line: string) => void (logged += line) });

beforeEach(() => {
  logged = '';
});
afterEach(async () => {
  await Promise.all(stops.map(stop => stop()));
  stops = [];
});

/** Answers with what `status` says. */
async function startReeve() {
  const state = { status: 200, granted: [] as { body: string; authorization: string }[] };
  const app = express();
  app.use(express.text({ type: '*/*' }));
  app.get('/.well-known/openid-configuration', (_, response) => {
    response.json({ issuer: url, token_endpoint: `${url}/token` });
  });
  app.post('/token', (incoming, response) => {
    state.granted.push({ body: String(incoming.body), authorization: incoming.headers.authorization ?? '' });
    const token = { access_token: `app-token-${state.granted.length}`, token_type: 'Bearer', expires_in: 300 };
    response.status(state.status).json(state.status === 200 ? token : { error: 'invalid_client' });
  });
  const { url, stop } = await listen(createServer(app));
  return { url, stop, state };
}

async function given(changes: Partial<Config> = {}) {
  const reeve = await startReeve();
  const config: Config = {
    issuer: new URL(reeve.url),
    clientId: 'cli_bot',
    readSecret: () => secret,
    keyFile: null,
    tenant: null,
    identityHeader: null,
    host: '127.0.0.1',
    port: 0,
    logLevel: 'info',
    ...changes,
  };
  const sidecar = createSidecar(config, log);
  const port = await sidecar.start();
  const url = `http://localhost:${port}`;
  stops = [sidecar.stop, reeve.stop];
  return { url, port, reeve, sidecar };
}

/** By hand, since fetch sets these headers itself. */
const ask = (port: number, headers: Record<string, string>, at = `${path}?${asked}`) =>
  new Promise<{ status: number; headers: Record<string, unknown>; body: string }>((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path: at, headers, agent: false }, response => {
      let body = '';
      response.on('data', chunk => {
        body += String(chunk);
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    outgoing.on('error', reject).end();
  });

test('a bot gets its token, for the bot routes of Reeve alone, and the second time the same', async () => {
  const { url, reeve } = await given();
  for (const _ of [1, 2]) {
    const answer = await fetch(`${url}${path}?${asked}`);
    expect([answer.status, await answer.json()]).toEqual([200, { authorizationHeader: 'Bearer app-token-1' }]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  }
  expect(Object.fromEntries(new URLSearchParams(reeve.state.granted[0]?.body))).toMatchObject({
    grant_type: 'client_credentials',
    resource: new URL(reeve.url).href.replace(/\/$/, ''),
    scope: 'bots:act',
  });
  expect(reeve.state.granted).toHaveLength(1);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
});

test('a bot of the platform says in which tenant it acts', async () => {
  const { url, reeve } = await given({ tenant: 'acme' });
  await fetch(`${url}${path}?${asked}`);
  expect(new URLSearchParams(reeve.state.granted[0]?.body).get('scope')).toBe('bots:act tenant:acme');
});

test('while Reeve is away it says 503, so that the SDK asks again; when Reeve is back there is a token', async () => {
  const { url, reeve } = await given();
  reeve.state.status = 500;
  const answer = await fetch(`${url}${path}?${asked}`);
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2']);
  reeve.state.status = 200;
  expect((await fetch(`${url}${path}?${asked}`)).status).toBe(200);
});

test('an application that Reeve refuses is told so at once, and Reeve is not asked by every message', async () => {
  const { url, reeve } = await given();
  reeve.state.status = 401;
  for (const _ of [1, 2, 3]) expect((await fetch(`${url}${path}?${asked}`)).status).toBe(403);
  expect(reeve.state.granted).toHaveLength(1);
});

const foreign = {
  'a page whose name leads here (DNS rebinding)': (port: number) => ({ host: `evil.example:${port}` }),
  'a page of another origin': (port: number) => ({ host: `localhost:${port}`, origin: 'https://evil.example' }),
  'a sandboxed page': (port: number) => ({ host: `localhost:${port}`, origin: 'null' }),
  'an image in a page': (port: number) => ({ host: `localhost:${port}`, 'sec-fetch-site': 'cross-site' }),
  'a tab that was opened here': (port: number) => ({ host: `localhost:${port}`, 'sec-fetch-site': 'none' }),
  'no name at all': () => ({ host: ':' }),
  'a name that begins like ours': (port: number) => ({ host: `localhost.evil.example:${port}` }),
  'a name before an @': (port: number) => ({ host: `localhost:${port}@evil.example` }),
};

test.each(Object.entries(foreign))('%s gets nothing, where a program of this machine does', async (_, headersOf) => {
  const { port, reeve } = await given();
  const refused = await ask(port, headersOf(port));
  expect([400, 403]).toContain(refused.status);
  expect(refused.body).not.toContain('token-');
  expect(refused.headers['access-control-allow-origin']).toBeUndefined();
  expect(reeve.state.granted).toEqual([]);
  for (const host of ['localhost', '127.0.0.1', '[::1]'])
    expect((await ask(port, { host: `${host}:${port}` })).status).toBe(200);
});

const others = {
  'a token for another agent': `optionsOverride.Scopes=${encodeURIComponent('api://other-agent/.default')}&optionsOverride.RequestAppToken=true`,
  'a token for two': `${asked}&optionsOverride.Scopes=other`,
  'a token of an agent identity': `${asked}&AgentIdentity=someone`,
  'a token of a person': `optionsOverride.Scopes=${scope}&AgentUsername=alice%40acme.example`,
  'a token of another tenant': `${asked}&optionsOverride.AcquireTokenOptions.Tenant=other`,
  'nothing in particular': '',
};

test.each(Object.entries(others))('%s is refused, and Reeve is not asked', async (_, search) => {
  const { url, reeve } = await given();
  expect((await fetch(`${url}${path}?${search}`)).status).toBe(400);
  expect(reeve.state.granted).toEqual([]);
  expect((await fetch(`${url}${path}?${asked}`)).status).toBe(200);
});

const identityHeader = 'the-header-of-this-pod';
const asIdentity = (url: string, { header = identityHeader, also = '' }: { header?: string; also?: string } = {}) =>
  fetch(
    `${url}/msi/token?api-version=2019-08-01&resource=${encodeURIComponent('https://api.botframework.com')}${also}`,
    {
      headers: { 'x-identity-header': header },
    },
  );

test('a library that asks for the token of a managed identity gets it, by the header alone', async () => {
  const { url, reeve } = await given({ identityHeader });
  const expires = Date.now() / 1_000 + 300;
  const answer = await asIdentity(url, { also: '&client_id=cli_bot' });
  const told = (await answer.json()) as { expires_on: string };
  expect(told).toMatchObject({ access_token: 'app-token-1', token_type: 'Bearer' });
  expect(Math.abs(Number(told.expires_on) - expires)).toBeLessThan(10);
  expect((await asIdentity(url, { header: 'another' })).status).toBe(401);
  expect((await asIdentity(url, { also: '&client_id=cli_other' })).status).toBe(400);
  expect((await fetch(`${url}/msi/token?api-version=2019-08-01&resource=https://graph.microsoft.com`)).status).toBe(
    401,
  );
  expect(reeve.state.granted).toHaveLength(1);
});

test('nobody is answered as of a managed identity where no header was chosen', async () => {
  const { url } = await given();
  for (const header of ['', 'null', identityHeader]) expect((await asIdentity(url, { header })).status).toBe(401);
});

test('neither token nor secret is in the log, whatever happens', async () => {
  const { url, reeve } = await given();
  await fetch(`${url}${path}?${asked}`);
  reeve.state.status = 500;
  await fetch(`${url}${path}?${asked}&optionsOverride.AcquireTokenOptions.ForceRefresh=true`);
  reeve.state.status = 401;
  await fetch(`${url}${path}?${asked}&optionsOverride.AcquireTokenOptions.ForceRefresh=true`);
  expect(logged).toContain('invalid_client');
  expect(logged).not.toMatch(new RegExp(`app-token|${secret}|${Buffer.from(secret).toString('base64')}`));
});

describe('by a key', () => {
  let directory: string;
  let keyFile: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'reeve-sidecar-'));
    keyFile = join(directory, 'key.json');
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  /** Gives the public one. */
  async function putKey(alg: string, kid: string, more: object = {}): Promise<JWK> {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    writeFileSync(keyFile, JSON.stringify({ ...(await exportJWK(privateKey)), alg, kid, ...more }));
    return { ...(await exportJWK(publicKey)), alg };
  }
  const fresh = `${path}?${asked}&optionsOverride.AcquireTokenOptions.ForceRefresh=true`;

  test.each(['ES256', 'PS256', 'RS256', 'Ed25519'])('a bot gets its token as by a secret (%s)', async alg => {
    const key = await putKey(alg, 'one');
    const { url, reeve } = await given({ keyFile });
    const answer = await fetch(`${url}${path}?${asked}`);
    expect([answer.status, await answer.json()]).toEqual([200, { authorizationHeader: 'Bearer app-token-1' }]);
    const [{ body, authorization } = { body: '', authorization: '' }] = reeve.state.granted;
    expect(authorization).toBe('');
    const form = new URLSearchParams(body);
    expect(Object.fromEntries(form)).toMatchObject({
      grant_type: 'client_credentials',
      scope: 'bots:act',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    });
    expect(form.has('client_secret')).toBe(false);
    const { payload, protectedHeader } = await jwtVerify(form.get('client_assertion') ?? '', key);
    expect(protectedHeader).toMatchObject({ alg, kid: 'one' });
    expect(payload).toMatchObject({ iss: 'cli_bot', sub: 'cli_bot', aud: reeve.url, jti: expect.any(String) });
  });

  test('one that is put in its place is taken up with the next token', async () => {
    await putKey('ES256', 'one');
    const { url, reeve } = await given({ keyFile });
    await fetch(`${url}${fresh}`);
    const next = await putKey('PS256', 'two');
    expect((await fetch(`${url}${fresh}`)).status).toBe(200);
    const assertion = new URLSearchParams(reeve.state.granted[1]?.body).get('client_assertion') ?? '';
    expect((await jwtVerify(assertion, next)).protectedHeader.kid).toBe('two');
  });

  test.each<[string, () => Promise<unknown> | void]>([
    ['is not there', () => undefined],
    ['is no JWK', () => writeFileSync(keyFile, 'the-secret-of-the-bot')],
    ['is of another algorithm', () => putKey('ES384', 'one')],
    ['names none', () => putKey('ES256', 'one', { alg: undefined })],
    ['names one that it is not for', () => putKey('ES256', 'one', { alg: 'PS256' })],
    ['is a public one', () => putKey('ES256', 'one', { d: undefined })],
    ['is for encryption', () => putKey('ES256', 'one', { use: 'enc' })],
  ])('one that %s gives 503 and is said without a word of it, until it is right', async (_, put) => {
    await put();
    const { url, reeve } = await given({ keyFile });
    expect((await fetch(`${url}${path}?${asked}`)).status).toBe(503);
    expect(reeve.state.granted).toEqual([]);
    expect(logged).toContain('REEVE_CLIENT_KEY_FILE');
    expect(logged).not.toContain(secret);
    await putKey('ES256', 'right');
    expect((await fetch(`${url}${path}?${asked}`)).status).toBe(200);
  });
});
