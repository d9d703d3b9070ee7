// A tenant whose people have signed in by its connection, and what their identity provider signs.
import { randomUUID } from 'node:crypto';
import { event, type Id } from '@reeve/contracts';
import { eventually, type ProviderKey, signedBy } from '@reeve/testing';
import type { JWTPayload } from 'jose';
import type { Application, Auth } from '../auth.test-support.ts';

export type AtTenant = Awaited<ReturnType<typeof newCustomer>>;

export const seconds = (later = 0) => Math.floor(Date.now() / 1_000) + later;

export async function newCustomer(
  auth: Auth,
  settings: { clientId?: string; issuer?: string; domains?: string[] } = {},
) {
  const { tenantId, slug } = await auth.newTenant();
  const { clientId = randomUUID(), issuer = auth.provider.issuer, domains = [] } = settings;
  const oidc = { issuer, clientId, clientSecret: 'a secret' };
  const connectionId = await auth.newConnection(tenantId, { oidc, domains });
  const application = await auth.newApplication(tenantId);
  return { tenantId, slug, connectionId, clientId, issuer, application };
}

/** By one of the connections where there are several. */
export async function signIn(
  auth: Auth,
  { application, connectionId }: Pick<AtTenant, 'application' | 'connectionId'>,
  who: { sub: string; email?: string; sid?: string },
) {
  auth.provider.is(who);
  const { claims, tokens } = await auth.signIn(application, { resource: auth.url, connection: connectionId });
  return {
    sid: String(claims['sid']),
    userId: claims.sub as Id<'user'>,
    refreshToken: tokens['refresh_token'] ?? '',
    accessToken: tokens['access_token'] ?? '',
    isOver: () => isOver(auth, application, tokens),
  };
}

/** Its access token, and its refresh token by introspection, which uses nothing up. Both or neither. */
async function isOver(auth: Auth, { id, secret }: Application, tokens: Record<string, string>): Promise<boolean> {
  const own = await auth.ask('GET', '/v1/me/sessions', { as: tokens['access_token'] ?? '' });
  const answer = await fetch(`${auth.url}/token/introspection`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${id}:${secret}`)}` },
    body: new URLSearchParams({ token: tokens['refresh_token'] ?? '' }),
  });
  const { active } = (await answer.json()) as { active: boolean };
  if ((own.status === 401) === active) throw new Error('one token is over and the other is not');
  return own.status === 401;
}

/** Resolves when it is known; `accessToken` is a person's of that tenant, for the auth service. */
export async function suspend(auth: Auth, { tenantId, slug }: AtTenant, accessToken: string): Promise<void> {
  const details = { slug, status: 'suspended' };
  await auth.announce(tenantId, event('tenant.suspended', { id: tenantId, name: slug, because: 'requested', details }));
  await eventually('the suspension', async () => {
    const { status } = await auth.ask('GET', '/v1/me/sessions', { as: accessToken });
    return status === 403;
  });
}

/** An ID token of the provider, as the application of somebody else at it would have one. */
export const idTokenOf = (key: ProviderKey, claims: JWTPayload): Promise<string> =>
  signedBy(key, { nonce: 'n', iat: seconds(), exp: seconds(300), ...claims });
