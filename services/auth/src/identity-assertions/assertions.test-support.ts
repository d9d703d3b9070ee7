// A tenant whose identity provider vouches for its people towards an assistant, and what the assistant does with that.
import { randomUUID } from 'node:crypto';
import { type Id, newId, type ResolveIdentityRequest, type TenantId } from '@reeve/contracts';
import { newProviderKey, type ProviderKey, signedBy } from '@reeve/testing';
import { calculateJwkThumbprint, type JWK } from 'jose';
import type { Application, Auth } from '../auth.test-support.ts';

export const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
export const now = () => Math.floor(Date.now() / 1_000);

export type Answer = { status: number; body: Record<string, string> };
export type Redeeming = Record<string, string> & { dpop?: string };
export type Vouching = Awaited<ReturnType<typeof newVouching>>;

let apis = 0;

/** People are known where a test says so, and nobody is made by asking. */
export function knowPeople(auth: Auth) {
  type Person = { userId: Id<'user'>; status?: 'user_deactivated' };
  const known = new Map<string, Person>();
  const keyOf = (of: { tenantId: string; connectionId: string; subject: string }) =>
    [of.tenantId, of.connectionId, of.subject].join(' ');
  auth.provisioning.answers((request: ResolveIdentityRequest) => {
    const person = known.get(keyOf(request));
    if (!person) return 'identity_unknown';
    if (person.status) return person.status;
    return { userId: person.userId, email: 'ada@acme.example', displayName: 'Ada', roles: [], created: false };
  });
  return {
    add(of: { tenantId: string; connectionId: string; subject: string }, person: Partial<Person> = {}): Id<'user'> {
      const userId = person.userId ?? newId('user');
      known.set(keyOf(of), { ...person, userId });
      return userId;
    },
  };
}

export async function newVouching(auth: Auth, { issuer = auth.provider.issuer, algorithms = ['ES256'] } = {}) {
  const { tenantId, slug } = await auth.newTenant();
  const oidc = { issuer, clientId: randomUUID(), clientSecret: 'a secret' };
  const connectionId = await auth.newConnection(tenantId, { oidc });
  const trust = { tenantClaim: tenantId as string, algorithms };
  const at = { tenantId, slug, connectionId };
  await put(auth, at, trust);
  return at;
}

export type At = { tenantId: TenantId; connectionId: Id<'connection'> };

export async function put(auth: Auth, { tenantId, connectionId }: At, body: object) {
  const path = `/v1/tenants/${tenantId}/sso-connections/${connectionId}/identity-assertions`;
  const answer = await auth.ask<{ code?: string; errors?: { field: string }[] }>('PUT', path, {
    as: await auth.asPlatform(),
    body,
  });
  return answer;
}

export const newAssistant = (auth: Auth, tenantId: TenantId | null, settings: object = {}) =>
  auth.newApplication(tenantId, { kind: 'machine', grantTypes: ['jwt_bearer'], redirectUris: [], ...settings });

export async function newApi(auth: Auth, settings: object = {}): Promise<{ id: string; resource: string }> {
  apis += 1;
  const identifier = `https://notes${apis}.myproduct.example`;
  const scopes = ['notes:read', 'notes:write', 'notes:admin'].map(name => ({ name }));
  const { status, body } = await auth.ask<{ id: string }>('POST', '/v1/resource-servers', {
    as: await auth.asPlatform(),
    body: { name: 'Notes', identifier, scopes, applications: 'all', ...settings },
  });
  if (status !== 201) throw new Error(JSON.stringify(body));
  return { id: body.id, resource: identifier };
}

export async function allow(auth: Auth, { tenantId, connectionId }: At, settings: object) {
  const { status, body } = await auth.ask<{ id: string; code?: string; errors?: { field: string }[] }>(
    'POST',
    `/v1/tenants/${tenantId}/assistant-policies`,
    { as: await auth.asPlatform(), body: { connectionId, scopes: ['notes:read', 'notes:write'], ...settings } },
  );
  return { status, body, id: body.id };
}

/** What an honest identity provider signs; a claim that is undefined is left out. */
export const claimsOf = (auth: Auth, at: At, assistant: Application, more: object = {}) => ({
  iss: auth.provider.issuer,
  tenant: at.tenantId,
  sub: 'ada',
  aud: auth.url,
  client_id: assistant.id,
  jti: randomUUID(),
  iat: now(),
  exp: now() + 120,
  ...more,
});

export const vouchedBy = (key: ProviderKey, claims: object, header: object = {}) =>
  signedBy(key, claims as never, { typ: 'oauth-id-jag+jwt', ...header });

export async function redeem(
  auth: Auth,
  by: Application,
  { dpop, ...form }: Redeeming & { assertion?: string },
): Promise<Answer> {
  const response = await fetch(`${auth.url}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${by.id}:${by.secret}`)}`, ...(dpop === undefined ? {} : { dpop }) },
    body: new URLSearchParams({ grant_type: jwtBearer, ...form }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

const publicOf = ({ jwk: { kty, crv, x, y } }: ProviderKey) => ({ kty, crv, x, y }) as JWK;

/** A key of the assistant's own, by which it makes proofs. */
export async function newProver(auth: Auth) {
  const key = await newProviderKey('ES256');
  return {
    jkt: await calculateJwkThumbprint(publicOf(key)),
    proof: (more: object = {}) =>
      signedBy(
        key,
        { jti: randomUUID(), iat: now(), htm: 'POST', htu: `${auth.url}/token`, ...more },
        { typ: 'dpop+jwt', jwk: publicOf(key), kid: undefined },
      ),
  };
}

export async function introspect(auth: Auth, by: Application, token = ''): Promise<Record<string, unknown>> {
  const answer = await fetch(`${auth.url}/token/introspection`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${by.id}:${by.secret}`)}` },
    body: new URLSearchParams({ token }),
  });
  return (await answer.json()) as Record<string, unknown>;
}
