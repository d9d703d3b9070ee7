// What stands around an installation, as one pod: the proxy that browsers come through, a port for each service, and an
// identity provider, which signs in whoever comes as Alice. It runs in the cluster on an image of ours, of which it
// uses nothing but Node.
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:https';

const { services, provider } = JSON.parse(process.env.OUTSIDE);
const tls = { key: readFileSync('/etc/outside/tls.key'), cert: readFileSync('/etc/outside/tls.crt') };
// Longer than any client keeps a connection: one that ends as it is used again is no failure of a service.
const server = { ...tls, keepAliveTimeout: 600_000 };

function forward(incoming, outgoing, host) {
  const headers = {
    ...incoming.headers,
    connection: 'close',
    'x-forwarded-for': incoming.socket.remoteAddress,
    'x-forwarded-proto': 'https',
  };
  // For the same reason, a connection for each request.
  const call = request({ host, agent: false, method: incoming.method, path: incoming.url, headers }, answer => {
    const { connection: _, ...headers } = answer.headers;
    outgoing.writeHead(answer.statusCode, headers);
    answer.pipe(outgoing);
  });
  call.on('error', error => (outgoing.headersSent ? outgoing.destroy() : outgoing.writeHead(502).end(error.message)));
  incoming.pipe(call);
}
for (const [host, port] of Object.entries(services))
  createServer(server, (incoming, outgoing) => forward(incoming, outgoing, host)).listen(port);

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const key = { ...publicKey.export({ format: 'jwk' }), kid: 'outside', alg: 'ES256', use: 'sig' };
const begun = new Map();
const encoded = value => Buffer.from(JSON.stringify(value)).toString('base64url');

function idToken(claims) {
  const text = `${encoded({ alg: 'ES256', kid: key.kid })}.${encoded(claims)}`;
  return `${text}.${sign('sha256', text, { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

const { issuer, browsers } = provider;
const answers = {
  '/.well-known/openid-configuration': () => ({
    issuer,
    // A browser is not in the cluster.
    authorization_endpoint: `${browsers}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/keys`,
    id_token_signing_alg_values_supported: ['ES256'],
  }),
  '/keys': () => ({ keys: [key] }),
  '/token'(form) {
    const sent = begun.get(form.get('code'));
    begun.delete(form.get('code'));
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (sent?.get('code_challenge') !== challenge) return { error: 'invalid_grant' };
    const iat = Math.floor(Date.now() / 1_000);
    const who = { sub: 'alice', email: 'alice@acme.example', email_verified: true, name: 'Alice Liddell' };
    const about = {
      iss: issuer,
      aud: sent.get('client_id'),
      nonce: sent.get('nonce') ?? undefined,
      iat,
      exp: iat + 300,
    };
    return { access_token: 'opaque', token_type: 'Bearer', id_token: idToken({ ...who, ...about }) };
  },
};

createServer(server, async (incoming, outgoing) => {
  const { pathname, searchParams } = new URL(incoming.url, issuer);
  if (pathname === '/authorize') {
    const code = randomBytes(16).toString('hex');
    begun.set(code, searchParams);
    const back = new URL(searchParams.get('redirect_uri'));
    back.searchParams.set('state', searchParams.get('state'));
    back.searchParams.set('code', code);
    return outgoing.writeHead(303, { location: back.href }).end();
  }
  let body = '';
  for await (const chunk of incoming) body += chunk;
  const answer = answers[pathname]?.(new URLSearchParams(body));
  const status = answer === undefined ? 404 : 'error' in answer ? 400 : 200;
  return outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer ?? {}));
}).listen(provider.port);
process.on('SIGTERM', () => process.exit(0));
