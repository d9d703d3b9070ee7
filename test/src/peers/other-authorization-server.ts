// The authorization server of somebody else, with one MCP server that it protects: as much of both as a client asks
// before it has a token. It takes an identity assertion (RFC 7523, ID-JAG) by what anybody knows of Reeve: its issuer
// and where its keys are.
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { listen } from '@reeve/testing';
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose';

type Trusts = { issuer: string; jwksUri: string; clientId: string; clientSecret: string };

export async function startOtherAuthorizationServer({ issuer, jwksUri, clientId, clientSecret }: Trusts) {
  const keys = createRemoteJWKSet(new URL(jwksUri));
  const redeemed: JWTPayload[] = [];
  const expected = `Basic ${btoa(`${clientId}:${clientSecret}`)}`;

  async function redeem(request: IncomingMessage): Promise<[status: number, body: object]> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const form = new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
    if (request.headers.authorization !== expected) return [401, { error: 'invalid_client' }];
    try {
      const { payload } = await jwtVerify(form.get('assertion') ?? '', keys, {
        issuer,
        audience: url,
        typ: 'oauth-id-jag+jwt',
        algorithms: ['ES256'],
        requiredClaims: ['sub', 'client_id', 'jti', 'iat', 'exp'],
      });
      if (payload['client_id'] !== clientId || payload['resource'] !== `${url}/mcp`)
        return [400, { error: 'invalid_grant' }];
      redeemed.push(payload);
      const scope = String(payload['scope']);
      return [200, { access_token: randomUUID(), token_type: 'Bearer', expires_in: 60, scope }];
    } catch (error) {
      if (error instanceof errors.JOSEError) return [400, { error: 'invalid_grant' }];
      throw error;
    }
  }

  const documents = (): Record<string, object> => ({
    '/.well-known/oauth-protected-resource/mcp': {
      resource: `${url}/mcp`,
      authorization_servers: [url],
      scopes_supported: ['read', 'write'],
    },
    '/.well-known/oauth-authorization-server': {
      issuer: url,
      authorization_endpoint: `${url}/authorize`,
      token_endpoint: `${url}/token`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      grant_types_supported: ['urn:ietf:params:oauth:grant-type:jwt-bearer'],
      authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'],
      token_endpoint_auth_methods_supported: ['client_secret_basic'],
    },
  });

  async function answer(request: IncomingMessage): Promise<[status: number, body: object]> {
    const path = request.url ?? '';
    if (request.method === 'POST' && path === '/token') return redeem(request);
    const document = documents()[path];
    return document ? [200, document] : [404, {}];
  }

  const server = createServer((request, response) => {
    void answer(request).then(([status, body]) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  const { url, stop } = await listen(server);
  /** Its issuer, the MCP server, and what the assertions said that it has taken. */
  return { url, mcpUrl: `${url}/mcp`, redeemed, stop };
}
