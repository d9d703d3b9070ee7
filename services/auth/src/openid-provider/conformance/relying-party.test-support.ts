// A relying party as the conformance suite of the OpenID Foundation is one: it has a callback that listens, sends what a
// module says, and checks what every module checks.
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { expect } from '@jest/globals';
import type { TenantId } from '@reeve/contracts';
import { type Browser, createBrowser, listen, type Page } from '@reeve/testing';
import { createRemoteJWKSet, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose';
import { type Application, type Auth, startAuth } from '../../auth.test-support.ts';

/** What came to the callback. */
export type Came = { method: string; path: string; query: URLSearchParams; form: URLSearchParams };

export type Parameters = Record<string, string | undefined>;

type Begin = { browser?: Browser; by?: 'GET' | 'POST'; client?: Application };

export type RelyingParty = Awaited<ReturnType<typeof startRelyingParty>>;

export async function startRelyingParty({ responseMode }: { responseMode?: 'form_post' } = {}) {
  const came: Came[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', chunk => {
      text += String(chunk);
    });
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://localhost');
      const { method = '' } = request;
      came.push({ method, path: url.pathname, query: url.searchParams, form: new URLSearchParams(text) });
      response.writeHead(200, { 'content-type': 'text/html' }).end('<p>arrived</p>');
    });
  });
  const { url: own, stop: stopListening } = await listen(server);
  const auth: Auth = await startAuth({ REEVE_ALLOWED_PRIVATE_ORIGINS: own });
  const callback = `${own}/callback`;
  const { tenantId } = await auth.newTenant();
  await auth.newConnection(tenantId);

  const newClient = (settings: object = {}): Promise<Application> =>
    auth.newApplication(tenantId, {
      redirectUris: [callback],
      postLogoutRedirectUris: [`${own}/post_logout_redirect`],
      pkceRequired: false,
      ...settings,
    });
  const usual = await newClient();

  /** What a module sends, with what every module sends. Undefined leaves a parameter out. */
  function request(parameters: Parameters, client: Application): URLSearchParams {
    const given: Parameters = {
      client_id: client.id,
      response_type: 'code',
      scope: 'openid',
      redirect_uri: callback,
      state: randomBytes(16).toString('hex'),
      nonce: randomBytes(16).toString('hex'),
      response_mode: responseMode,
      ...parameters,
    };
    const said = Object.entries(given).filter((pair): pair is [string, string] => pair[1] !== undefined);
    return new URLSearchParams(said);
  }

  /** The browser's way, until it ends: what came to the callback on it, and the page that it ended at. */
  async function begin(
    parameters: Parameters = {},
    { browser = createBrowser(), by = 'GET', client = usual }: Begin = {},
  ) {
    const before = came.length;
    const sent = request(parameters, client);
    const at = new URL(`${auth.url}/auth`);
    let page: Page;
    if (by === 'GET') {
      at.search = sent.toString();
      page = await browser.open(at);
    } else {
      const fields = [...sent].map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`).join('');
      const text = `<form method="post" action="${at.href}">${fields}</form>`;
      page = await browser.submit({ url: at, status: 200, text, headers: new Headers() }, {});
    }
    const arrived = came.slice(before);
    expect(arrived.length).toBeLessThanOrEqual(1);
    return { browser, page, sent, came: arrived[0] ?? null };
  }

  /** As the response mode has it: in the query, or in a form and nothing in the query. */
  function answerIn({ method, query, form }: Came): URLSearchParams {
    if (responseMode === undefined) return query;
    expect([method, query.get('code'), query.get('error')]).toEqual(['POST', null, null]);
    return form;
  }

  /** A code, or the test fails. */
  async function authorize(parameters: Parameters = {}, options: Begin = {}) {
    const begun = await begin(parameters, options);
    if (!begun.came) throw new Error(`nothing came back: ${begun.page.url.href} ${begun.page.text.slice(0, 500)}`);
    const answer = answerIn(begun.came);
    expect([answer.get('error'), answer.get('state'), answer.get('iss')]).toEqual([
      null,
      begun.sent.get('state'),
      auth.url,
    ]);
    // RFC 6749 §10.10: not to be guessed.
    expect((answer.get('code') ?? '').length).toBeGreaterThanOrEqual(43);
    return { ...begun, code: answer.get('code') ?? '' };
  }

  /** An error at the callback, one of those. */
  async function expectError(parameters: Parameters, errors: readonly string[], options: Begin = {}) {
    const begun = await begin(parameters, options);
    if (!begun.came) throw new Error(`nothing came back: ${begun.page.url.href} ${begun.page.text.slice(0, 500)}`);
    const answer = answerIn(begun.came);
    expect(errors).toContain(answer.get('error'));
    expect([answer.get('state'), answer.get('iss'), answer.get('code')]).toEqual([
      begun.sent.get('state'),
      auth.url,
      null,
    ]);
    expect(answer.get('error_description') ?? '').toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/);
  }

  async function post(path: string, form: Record<string, string>, headers: Record<string, string> = {}) {
    const answer = await fetch(`${auth.url}${path}`, { method: 'POST', headers, body: new URLSearchParams(form) });
    const type = answer.headers.get('content-type') ?? '';
    const body = (type.includes('json') ? await answer.json() : {}) as Record<string, string>;
    return { status: answer.status, headers: answer.headers, type, body };
  }

  const basic = ({ id, secret }: Application) => ({ authorization: `Basic ${btoa(`${id}:${secret}`)}` });

  const exchange = (code: string, more: Record<string, string> = {}, client: Application = usual) =>
    post('/token', { grant_type: 'authorization_code', code, redirect_uri: callback, ...more }, basic(client));

  const refresh = (token: string, client: Application = usual) =>
    post('/token', { grant_type: 'refresh_token', refresh_token: token }, basic(client));

  const keys = createRemoteJWKSet(new URL(`${auth.url}/jwks`));

  const verify = (token: string, { id }: Application) =>
    jwtVerify(token, keys, {
      issuer: auth.url,
      audience: id,
      requiredClaims: ['iat', 'exp'],
      maxTokenAge: '2 minutes',
    });

  /** What the suite checks of each ID token. */
  async function checkIdToken(
    idToken: string,
    { nonce, client = usual }: { nonce: string | null; client?: Application },
  ) {
    const { payload } = await jwtVerify(idToken, keys, {
      issuer: auth.url,
      audience: client.id,
      requiredClaims: ['exp', 'iat', 'sub'],
      maxTokenAge: '5 minutes',
    });
    expect(decodeProtectedHeader(idToken)['kid']).toEqual(expect.any(String));
    expect(payload['nonce'] ?? null).toBe(nonce);
    expect(payload.sub).toMatch(/^[\x20-\x7e]{1,255}$/);
    return payload;
  }

  async function userInfo(accessToken = '', init: RequestInit = {}): Promise<{ status: number; claims: JWTPayload }> {
    const headers = { authorization: `Bearer ${accessToken}` };
    const answer = await fetch(`${auth.url}/me`, { headers, ...init });
    const isJson = (answer.headers.get('content-type') ?? '').includes('application/json');
    return { status: answer.status, claims: isJson ? ((await answer.json()) as JWTPayload) : {} };
  }

  /** The whole of it, with every check. */
  async function flow(
    parameters: Parameters = {},
    { exchangeWith = {}, ...options }: Begin & { exchangeWith?: Record<string, string> } = {},
  ) {
    const { client = usual } = options;
    const authorized = await authorize(parameters, options);
    const { status, body, headers } = await exchange(authorized.code, exchangeWith, client);
    expect([status, headers.get('cache-control')]).toEqual([200, expect.stringContaining('no-store')]);
    expect(body).toMatchObject({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: expect.any(Number),
    });
    const claims = await checkIdToken(body['id_token'] ?? '', { nonce: authorized.sent.get('nonce'), client });
    const told = await userInfo(body['access_token']);
    expect([told.status, told.claims.sub]).toEqual([200, claims.sub]);
    return { ...authorized, tokens: body, claims, userInfo: told.claims };
  }

  return {
    auth,
    tenantId: tenantId as TenantId,
    own,
    callback,
    came,
    usual,
    newClient,
    begin,
    authorize,
    expectError,
    exchange,
    refresh,
    post,
    basic,
    checkIdToken,
    verify,
    userInfo,
    flow,
    async stop() {
      await auth.stop();
      await stopListening();
    },
  };
}

/** A verifier and its challenge (RFC 7636). */
export function pkce() {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

export const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));
