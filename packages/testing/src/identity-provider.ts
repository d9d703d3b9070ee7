// Somebody else's identity provider, over HTTP: whoever comes is signed in at once, as whom the test says. It speaks
// OpenID Connect, and can lie in each of its answers.
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import { listen } from './listen.ts';

export type IdentityProvider = Awaited<ReturnType<typeof startIdentityProvider>>;

/** A sign-in that was asked for, until its code is used. */
type Begun = { nonce: string | null; challenge: string | null; clientId: string };

export type ProviderKey = Awaited<ReturnType<typeof newProviderKey>>;

/** What it says instead of the truth. */
export type Lies = {
  /** Members of the discovery document. */
  discovery?: object;
  keys?: () => Promise<unknown> | unknown;
  /** Made of the true claims. */
  idToken?: (claims: JWTPayload, key: ProviderKey) => Promise<string | undefined> | string | undefined;
  /** Members of the token endpoint's answer. */
  tokens?: object;
  /** A text is answered as a JWT. */
  userInfo?: () => Promise<object | string> | object | string;
  /** Changes what the browser brings back. */
  back?: (parameters: URLSearchParams) => void;
  /** Whole answers, by path. */
  answers?: Record<string, (request: IncomingMessage, response: ServerResponse) => void>;
};

export type Asked = { path: string; headers: IncomingHttpHeaders; form: URLSearchParams };

export async function newProviderKey(alg = 'ES256', options: object = {}) {
  const { publicKey, privateKey } = await generateKeyPair(alg, options);
  const kid = randomBytes(6).toString('hex');
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid, alg };
  return { kid, alg, privateKey, publicKey, jwk };
}

/** An ID token by that key; a header that is undefined is left out. */
export const signedBy = ({ kid, alg, privateKey }: ProviderKey, claims: JWTPayload, header: object = {}) =>
  new SignJWT(claims).setProtectedHeader({ alg, kid, ...header }).sign(privateKey);

async function formOf(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}

const discoveryPath = '/.well-known/openid-configuration';
const minutes = (count: number) => Math.floor(Date.now() / 1_000) + count * 60;

export async function startIdentityProvider() {
  let key = await newProviderKey();
  let claims = (): JWTPayload => ({ sub: 'somebody' });
  let refusal: string | null = null;
  let lies: Lies = {};
  const begun = new Map<string, Begun>();
  const asked: URLSearchParams[] = [];
  const requests: Asked[] = [];

  function authorize({ searchParams }: URL): string {
    asked.push(searchParams);
    const code = randomBytes(16).toString('hex');
    const parameter = (name: string) => searchParams.get(name);
    begun.set(code, {
      nonce: parameter('nonce'),
      challenge: parameter('code_challenge'),
      clientId: parameter('client_id') ?? '',
    });
    const back = new URL(parameter('redirect_uri') ?? '');
    back.searchParams.set('state', parameter('state') ?? '');
    if (refusal === null) back.searchParams.set('code', code);
    else back.searchParams.set('error', refusal);
    lies.back?.(back.searchParams);
    return back.href;
  }

  async function tokens(form: URLSearchParams): Promise<{ status: number; body: object }> {
    const code = form.get('code') ?? '';
    const sent = begun.get(code);
    begun.delete(code);
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (!sent || sent.challenge !== challenge) return { status: 400, body: { error: 'invalid_grant' } };
    const said: JWTPayload = {
      nonce: sent.nonce ?? undefined,
      ...claims(),
      iss: issuer,
      aud: sent.clientId,
      iat: minutes(0),
      exp: minutes(5),
    };
    const idToken = await (lies.idToken ? lies.idToken(said, key) : signedBy(key, said));
    const id_token = idToken === undefined ? {} : { id_token: idToken };
    return { status: 200, body: { access_token: 'opaque', token_type: 'Bearer', ...id_token, ...lies.tokens } };
  }

  const discovery = () => ({
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/keys`,
    id_token_signing_alg_values_supported: ['ES256'],
    ...lies.discovery,
  });

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', issuer);
    const send = (body: unknown, status = 200) => {
      const isJwt = typeof body === 'string';
      response.writeHead(status, { 'content-type': isJwt ? 'application/jwt' : 'application/json' });
      response.end(isJwt ? body : JSON.stringify(body));
    };
    const answers: Record<string, (form: URLSearchParams) => Promise<void> | void> = {
      [discoveryPath]: () => send(discovery()),
      '/keys': async () => send(lies.keys ? await lies.keys() : { keys: [key.jwk] }),
      '/authorize': () => void response.writeHead(303, { location: authorize(url) }).end(),
      '/token': async form => {
        const { status, body } = await tokens(form);
        send(body, status);
      },
      '/userinfo': async () => (lies.userInfo ? send(await lies.userInfo()) : send({}, 404)),
    };
    const path = url.pathname.endsWith(discoveryPath) ? discoveryPath : url.pathname;
    void formOf(request).then(form => {
      requests.push({ path, headers: request.headers, form });
      const lie = lies.answers?.[path];
      return lie ? lie(request, response) : (answers[path] ?? (() => send({}, 404)))(form);
    });
  });
  const { url: issuer, stop } = await listen(server);

  return {
    issuer,
    /** What was asked of the authorization endpoint, oldest first. */
    asked,
    /** Every request, oldest first. */
    requests,
    /** From now on whoever comes is this person; claims of the ID token, which may contradict everything. */
    is(who: JWTPayload | (() => JWTPayload)) {
      claims = typeof who === 'function' ? who : () => who;
      refusal = null;
    },
    /** From now on everybody is refused. */
    refuses(error: string) {
      refusal = error;
    },
    /** From now on it says this, and nothing of what it said instead of the truth before. */
    lies(how: Lies) {
      lies = how;
    },
    /** Returns the key that it has from now on. */
    async changesItsKeys(to?: ProviderKey): Promise<ProviderKey> {
      key = to ?? (await newProviderKey());
      return key;
    },
    stop,
  };
}
