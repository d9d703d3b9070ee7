import { changeExisting, tenantRoute } from '@reeve/service-kit';
import { assertDefaultFirst, authKeySettings, authKeyView, remove, update, viewOf } from './auth-key.ts';
import { mostOfATenant } from './auth-key-directory.ts';
import { type AuthKeyParts, assertConnection } from './create-auth-key.ts';

const common = {
  path: '/v1/tenants/{tenantId}/auth-keys/{authKey}',
  action: 'connections:write',
  versioned: true,
} as const;

export const updateAuthKey = ({ authKeys, directory, connections }: AuthKeyParts) =>
  tenantRoute({
    ...common,
    method: 'patch',
    summary: 'Have an auth_key name another connection; what is left out stays',
    body: authKeySettings.partial(),
    response: authKeyView,
    async handle({ tenantId, params: { authKey: id }, body, cause, expectedVersion }) {
      const change = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
      if (body.connectionId !== undefined) await assertConnection(connections, tenantId, body.connectionId);
      const entry = await changeExisting(authKeys.in(tenantId), id, authKey => update(id, authKey, change), {
        cause,
        expectedVersion,
      });
      directory.forget(tenantId);
      return { body: viewOf(entry), version: entry.version };
    },
  });

export const deleteAuthKey = ({ authKeys, directory, clock }: AuthKeyParts) =>
  tenantRoute({
    ...common,
    method: 'delete',
    summary: 'Delete an auth_key; `default` is the last to go',
    status: 204,
    async handle({ tenantId, params: { authKey: id }, cause, expectedVersion }) {
      const own = authKeys.in(tenantId);
      const { items } = await own.list('inOrder', {}, { limit: mostOfATenant });
      const others = items.map(item => item.id).filter(other => other !== id);
      assertDefaultFirst(id, others, 'delete');
      await changeExisting(own, id, authKey => remove(id, authKey, clock.now()), { cause, expectedVersion });
      directory.forget(tenantId);
      return { body: undefined };
    },
  });
