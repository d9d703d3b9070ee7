// Tenants as a platform team would set them up, by the public API. Running it again changes nothing.
import { type Api, ApiError, createApi } from './api.ts';
import type { Credentials } from './system.ts';

export type Tenant = { id: string; slug: string };
export type SeededTenant = Tenant & { connectionId: string };

export function platformApi(credentials: Credentials): Api {
  const { clientId, clientSecret } = credentials;
  return createApi(credentials, { clientId, clientSecret, scope: 'platform:admin' });
}

/** A tenant with an active connection to the demo identity provider. */
export async function seedTenant(
  credentials: Credentials,
  { slug, name }: { slug: string; name: string },
): Promise<SeededTenant> {
  const api = platformApi(credentials);
  const { provisioning, auth } = credentials.urls;
  const headers = { 'Reeve-Reason': 'setting up a demo tenant' };
  const tenant = await api.post<Tenant>(`${provisioning}/v1/tenants`, { slug, name }).catch((error: unknown) => {
    if (error instanceof ApiError && error.code === 'tenant_slug_taken')
      return api.get<Tenant>(`${provisioning}/v1/tenants/${slug}`, { headers });
    throw error;
  });
  const connections = `${auth}/v1/tenants/${tenant.id}/sso-connections`;
  const { items } = await api.get<{ items: { id: string; status: string }[] }>(connections, { headers });
  const active = items.find(({ status }) => status === 'active');
  if (active) return { ...tenant, connectionId: active.id };
  const { oidc: issuer, clientId, clientSecret } = credentials.demoIdp;
  const connection = await api.post<{ id: string }>(
    connections,
    {
      name: 'Demo identity provider',
      kind: 'oidc',
      // So that people whom a directory pushed sign in to the accounts that they have.
      domains: [...new Set(credentials.demoUsers.map(({ email }) => email.slice(email.indexOf('@') + 1)))],
      oidc: { issuer, clientId, clientSecret },
      jit: { enabled: true, defaultRoles: ['tenant_member'] },
    },
    { headers },
  );
  await api.post(`${connections}/${connection.id}:activate`, undefined, { headers });
  return { ...tenant, connectionId: connection.id };
}

/** A client that reaches one tenant, as its product would use. */
export async function tenantApi(credentials: Credentials, tenant: Tenant): Promise<Api> {
  const created = await platformApi(credentials).post<{ clientId: string; clientSecret: string }>(
    `${credentials.urls.auth}/v1/tenants/${tenant.id}/clients`,
    { name: 'Product backend' },
    { headers: { 'Reeve-Reason': 'registering the product of the tenant' } },
  );
  return createApi(credentials, { ...created, scope: `tenant:${tenant.id}` });
}
