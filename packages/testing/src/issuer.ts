// An issuer for one test: a key set that is served over HTTP, and access tokens that say what the test needs.
import { createServer } from 'node:http';
import { type Id, newId, type TenantId } from '@reeve/contracts';
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { listen } from './listen.ts';

export type Issuer = {
  url: string;
  /** An access token (RFC 9068) for `audience`. */
  token(claims: JWTPayload, audience: string): Promise<string>;
  stop(): Promise<void>;
};

/** Claims of those who call. */
export const callers = {
  platform: (): JWTPayload => ({ ...asClient(newId('client')), platform: true, scope: 'platform:admin' }),
  service: (): JWTPayload => ({ ...asClient(newId('client')), platform: true, scope: 'internal:identities' }),
  tenantClient: (tenantId: TenantId): JWTPayload => ({ ...asClient(newId('client')), tid: tenantId }),
  person: (
    tenantId: TenantId,
    { id = newId('user'), roles = ['tenant_admin'] }: { id?: Id<'user'>; roles?: readonly string[] } = {},
  ): JWTPayload => ({
    sub: id,
    client_id: newId('client'),
    tid: tenantId,
    sid: newId('session'),
    roles: [...roles],
    auth_time: Math.floor(Date.now() / 1_000),
  }),
};

const asClient = (id: string): JWTPayload => ({ sub: id, client_id: id });

const kid = 'test';

/** The key of an issuer's access tokens, as it is and as it is served. */
export async function newAccessTokenKey() {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const named = { kid, alg: 'ES256', use: 'sig' };
  return {
    privateKey,
    privateJwk: { ...(await exportJWK(privateKey)), ...named },
    publicJwk: { ...(await exportJWK(publicKey)), ...named },
  };
}

export const accessTokensOf =
  (issuer: string, privateKey: CryptoKey): Issuer['token'] =>
  (claims, audience) =>
    new SignJWT({ jti: newId('request'), ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid })
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime('5 minutes')
      .sign(privateKey);

export async function startIssuer(): Promise<Issuer> {
  const { publicJwk, privateKey } = await newAccessTokenKey();
  const server = createServer((_request, response) => {
    response.setHeader('Content-Type', 'application/jwk-set+json');
    response.end(JSON.stringify({ keys: [publicJwk] }));
  });
  const { url, stop } = await listen(server);
  return { url, token: accessTokensOf(url, privateKey), stop };
}
