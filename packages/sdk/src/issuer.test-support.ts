// An issuer for tests: metadata, keys, sign-ins, tokens and the feed of revocations, each as a test says.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { newId, type Revocation } from '@reeve/contracts';
import { listen } from '@reeve/testing';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from 'jose';

export type TestIssuer = Awaited<ReturnType<typeof startIssuer>>;

export const audience = 'https://api.myproduct.example';

type Signing = { header?: Partial<JWTHeaderParameters>; key?: CryptoKey | Uint8Array };

export const newKey = async (alg: 'ES256' | 'RS256', kid: string) => {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } as JWK };
};

const body = (response: ServerResponse, value: unknown) =>
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));

export async function startIssuer() {
  const es = await newKey('ES256', 'es');
  const rs = await newKey('RS256', 'rs');
  const state = {
    keys: [es.jwk, rs.jwk],
    metadataIssuer: null as string | null,
    /** Answers 503 to all. */
    isAway: false,
    /** Says on the feed each so many ms how far it knows. */
    tellsKnown: true,
    /** By how much its clock is ahead of ours. */
    clockAheadMs: 0,
    /** By how much what it knows is behind. */
    knowsBehindMs: 0,
    revoked: [] as object[],
    /** Claims of the ID token of whoever signs in, besides the usual ones. */
    idToken: {} as Record<string, unknown>,
    /** How long access tokens count. */
    accessSeconds: 300,
    /** The refresh tokens that count, by what they were followed by. */
    refreshTokens: new Set<string>(),
    refreshes: 0,
  };
  const codes = new Map<string, URLSearchParams>();
  const asked: string[] = [];
  const listeners = new Set<ServerResponse>();
  const now = () => Date.now() + state.clockAheadMs;

  const say = (response: ServerResponse, event: string, data: object) =>
    response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  const sayKnown = (response: ServerResponse) =>
    say(response, 'known', { upTo: new Date(now() - state.knowsBehindMs).toISOString() });

  function feed(request: IncomingMessage, response: ServerResponse) {
    if (request.headers.authorization !== 'Bearer of the verifier') return response.writeHead(401).end();
    response.writeHead(200, { 'content-type': 'text/event-stream', date: new Date(now()).toUTCString() });
    for (const one of state.revoked) say(response, 'revoked', one);
    sayKnown(response);
    listeners.add(response);
    return response.once('close', () => listeners.delete(response));
  }

  /** Signs in at once whoever `state.idToken` says. */
  function authorize(asked_: URLSearchParams, response: ServerResponse) {
    const code = newId('request');
    codes.set(code, asked_);
    const location = new URL(asked_.get('redirect_uri') ?? '');
    location.search = new URLSearchParams({ code, state: asked_.get('state') ?? '', iss: url }).toString();
    response.writeHead(303, { location: location.href }).end();
  }

  async function token(request: IncomingMessage, response: ServerResponse) {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const form = new URLSearchParams(text);
    const grant = form.get('grant_type');
    const given = { token_type: 'Bearer', expires_in: state.accessSeconds };
    if (grant === 'client_credentials') return body(response, { ...given, access_token: 'of the verifier' });
    const begun = codes.get(form.get('code') ?? '');
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    const isGood =
      grant === 'refresh_token'
        ? state.refreshTokens.delete(form.get('refresh_token') ?? '')
        : begun?.get('code_challenge') === challenge && codes.delete(form.get('code') ?? '');
    if (!isGood)
      return response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"invalid_grant"}');
    if (grant === 'refresh_token') state.refreshes += 1;
    const refreshToken = newId('secret');
    state.refreshTokens.add(refreshToken);
    const { scope: _, client_id: __, jti: ___, ...usual } = claims();
    const nonce = begun ? { nonce: begun.get('nonce') ?? '', aud: begun.get('client_id') ?? '' } : {};
    const idToken = new SignJWT({ ...usual, ...nonce, ...state.idToken })
      .setProtectedHeader({ alg: 'RS256', kid: 'rs' })
      .sign(rs.privateKey);
    return body(response, {
      ...given,
      access_token: `access-${newId('request')}`,
      refresh_token: refreshToken,
      ...(begun ? { id_token: await idToken } : {}),
    });
  }

  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    if (state.isAway) return response.writeHead(503).end();
    if (path === '/.well-known/openid-configuration')
      return body(response, {
        issuer: state.metadataIssuer ?? url,
        jwks_uri: `${url}/jwks`,
        token_endpoint: `${url}/token`,
        authorization_endpoint: `${url}/auth`,
        end_session_endpoint: `${url}/session/end`,
        authorization_response_iss_parameter_supported: true,
      });
    if (path === '/jwks') return body(response, { keys: state.keys });
    if (path === '/token') return void token(request, response);
    if (path.startsWith('/auth?')) return authorize(new URL(path, url).searchParams, response);
    return path === '/revocations' ? feed(request, response) : response.writeHead(404).end();
  });
  const { url, stop } = await listen(server);
  const timer = setInterval(() => {
    if (state.tellsKnown) for (const one of listeners) sayKnown(one);
  }, 50);

  const claims = () => ({
    iss: url,
    aud: audience,
    sub: newId('user'),
    client_id: newId('client'),
    tid: newId('tenant'),
    sid: newId('session'),
    jti: newId('request'),
    scope: 'messages:read',
    iat: Math.floor(Date.now() / 1_000),
    exp: Math.floor(Date.now() / 1_000) + 300,
  });

  return {
    url,
    state,
    asked,
    es,
    rs,
    claims,
    /** A good access token, but for what is said. A claim that is undefined is left out. */
    token: (change: Record<string, unknown> = {}, { header = {}, key = es.privateKey }: Signing = {}) =>
      new SignJWT({ ...claims(), ...change } as never)
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'es', ...header })
        .sign(key),
    /** A good logout token for that client, but for what is said. */
    logoutToken: (clientId: string, change: Record<string, unknown> = {}, header: object = {}) => {
      const { iss, sub, sid, jti, iat, exp } = claims();
      const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
      return new SignJWT({ iss, aud: clientId, sub, sid, jti, iat, exp, events, ...change } as never)
        .setProtectedHeader({ alg: 'RS256', typ: 'logout+jwt', kid: 'rs', ...header })
        .sign(rs.privateKey);
    },
    /** To those who listen, and to all who will. */
    revoke(revocation: Revocation | object) {
      state.revoked.push(revocation);
      for (const one of listeners) say(one, 'revoked', revocation);
    },
    cutFeed() {
      for (const one of listeners) one.destroy();
    },
    async stop() {
      clearInterval(timer);
      await stop();
    },
  };
}
