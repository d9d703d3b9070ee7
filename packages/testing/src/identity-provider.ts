// Somebody else's identity provider, over HTTP: whoever comes is signed in at once, as whom the test says. It speaks
// OpenID Connect, and can lie in it.
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { listen } from './listen.ts';

export type IdentityProvider = Awaited<ReturnType<typeof startIdentityProvider>>;

/** A sign-in that was asked for, until its code is used. */
type Begun = { nonce: string | null; challenge: string | null; clientId: string };

const newKey = async () => ({ kid: randomBytes(6).toString('hex'), ...(await generateKeyPair('ES256')) });

async function formOf(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}

export async function startIdentityProvider() {
  let key = await newKey();
  let claims = (): JWTPayload => ({ sub: 'somebody' });
  let refusal: string | null = null;
  const begun = new Map<string, Begun>();
  const asked: URLSearchParams[] = [];

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
    return back.href;
  }

  async function tokens(request: IncomingMessage): Promise<{ status: number; body: object }> {
    const form = await formOf(request);
    const code = form.get('code') ?? '';
    const sent = begun.get(code);
    begun.delete(code);
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (!sent || sent.challenge !== challenge) return { status: 400, body: { error: 'invalid_grant' } };
    const idToken = await new SignJWT({ nonce: sent.nonce ?? undefined, ...claims() } as JWTPayload)
      .setProtectedHeader({ alg: 'ES256', kid: key.kid })
      .setIssuer(issuer)
      .setAudience(sent.clientId)
      .setIssuedAt()
      .setExpirationTime('5 minutes')
      .sign(key.privateKey);
    return { status: 200, body: { access_token: 'opaque', token_type: 'Bearer', id_token: idToken } };
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', issuer);
    const send = (body: object, status = 200) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    const answers: Record<string, () => Promise<void> | void> = {
      '/.well-known/openid-configuration': () =>
        send({
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          jwks_uri: `${issuer}/keys`,
          id_token_signing_alg_values_supported: ['ES256'],
        }),
      '/keys': async () => send({ keys: [{ ...(await exportJWK(key.publicKey)), kid: key.kid, alg: 'ES256' }] }),
      '/authorize': () => void response.writeHead(303, { location: authorize(url) }).end(),
      '/token': async () => {
        const { status, body } = await tokens(request);
        send(body, status);
      },
    };
    void (answers[url.pathname] ?? (() => send({}, 404)))();
  });
  const { url: issuer, stop } = await listen(server);

  return {
    issuer,
    /** What was asked of the authorization endpoint, oldest first. */
    asked,
    /** From now on whoever comes is this person; claims of the ID token, which may contradict everything. */
    is(who: JWTPayload | (() => JWTPayload)) {
      claims = typeof who === 'function' ? who : () => who;
      refusal = null;
    },
    /** From now on everybody is refused. */
    refuses(error: string) {
      refusal = error;
    },
    async changesItsKeys() {
      key = await newKey();
    },
    stop,
  };
}
