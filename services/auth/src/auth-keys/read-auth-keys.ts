import { paged, pageOf, pageQuery, readExisting, tenantRoute } from '@reeve/service-kit';
import { type AuthKeys, authKeyView, viewOf } from './auth-key.ts';

const common = { method: 'get', action: 'connections:read' } as const;

export const listAuthKeys = ({ authKeys }: { authKeys: AuthKeys }) =>
  tenantRoute({
    ...common,
    path: '/v1/tenants/{tenantId}/auth-keys',
    summary: 'List the auth_keys',
    query: pageQuery,
    response: pageOf(authKeyView),
    handle: async ({ tenantId, query }) => paged(await authKeys.in(tenantId).list('inOrder', {}, query), viewOf),
  });

export const readAuthKey = ({ authKeys }: { authKeys: AuthKeys }) =>
  tenantRoute({
    ...common,
    path: '/v1/tenants/{tenantId}/auth-keys/{authKey}',
    summary: 'Read an auth_key',
    response: authKeyView,
    async handle({ tenantId, params }) {
      const entry = await readExisting(authKeys.in(tenantId), params.authKey);
      return { body: viewOf(entry), version: entry.version };
    },
  });
