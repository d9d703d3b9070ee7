import { randomBytes } from 'node:crypto';
import { type Id, newId, type ResolveIdentityRequest, type TenantId } from '@reeve/contracts';
import { callers, type RunningService, startService } from '@reeve/testing';
import { configSchema } from './config.ts';
import { createService } from './service.ts';

export const startProvisioning = () =>
  startService({ name: 'provisioning', schema: configSchema, create: createService });

type Provisioning = Pick<RunningService, 'ask'>;
type Created<K extends 'tenant' | 'user' | 'directory' | 'group'> = { id: Id<K> };

export async function newTenant({ ask }: Provisioning): Promise<TenantId> {
  const slug = `t-${randomBytes(5).toString('hex')}`;
  const { body } = await ask<Created<'tenant'>>('POST', '/v1/tenants', {
    as: callers.platform(),
    body: { slug, name: 'A tenant' },
  });
  return body.id;
}

export async function newUser(
  { ask }: Provisioning,
  tenantId: TenantId,
  user: { email: string; roles?: readonly string[] },
): Promise<Id<'user'>> {
  const path = `/v1/tenants/${tenantId}/users`;
  const { status, body } = await ask<Created<'user'>>('POST', path, { as: callers.platform(), body: user });
  if (status !== 201) throw new Error(`no user was created: ${JSON.stringify(body)}`);
  return body.id;
}

export async function newDirectory(
  { ask }: Provisioning,
  tenantId: TenantId,
): Promise<{ id: Id<'directory'>; baseUrl: string; token: string }> {
  const path = `/v1/tenants/${tenantId}/directories`;
  const created = await ask<{ id: Id<'directory'>; baseUrl: string; token: string }>('POST', path, {
    as: callers.platform(),
    body: { name: 'HR' },
  });
  return created.body;
}

export async function newGroup({ ask }: Provisioning, tenantId: TenantId, name: string): Promise<Id<'group'>> {
  const path = `/v1/tenants/${tenantId}/groups`;
  const { status, body } = await ask<Created<'group'>>('POST', path, { as: callers.platform(), body: { name } });
  if (status !== 201) throw new Error(`no group was created: ${JSON.stringify(body)}`);
  return body.id;
}

/** Somebody whom an identity provider has vouched for, unless said otherwise by a connection of their own. */
export const identityRequest = (
  tenantId: TenantId,
  change: Partial<ResolveIdentityRequest> = {},
): ResolveIdentityRequest => ({
  tenantId,
  connectionId: newId('connection'),
  issuer: 'https://idp.example',
  subject: newId('request'),
  email: null,
  emailVerified: false,
  domainOwned: false,
  displayName: 'Somebody',
  origin: { correlationId: 'c', ip: '192.0.2.1', userAgent: null },
  jit: { enabled: true, defaultRoles: ['tenant_member'] },
  ...change,
});
