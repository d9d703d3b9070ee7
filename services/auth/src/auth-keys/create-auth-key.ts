import { invalidField, ProblemError, type TenantId } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import type { Connections } from '../connections/connection.ts';
import {
  type AuthKeys,
  assertDefaultFirst,
  authKeySettings,
  authKeyView,
  create,
  keySchema,
  viewOf,
} from './auth-key.ts';
import { type AuthKeyDirectory, mostOfATenant } from './auth-key-directory.ts';

export type AuthKeyParts = {
  authKeys: AuthKeys;
  directory: AuthKeyDirectory;
  connections: Connections;
  clock: Clock;
};

const { shape } = authKeySettings;

/** Throws `input_invalid` for what is no connection of this tenant. */
export async function assertConnection(connections: Connections, tenantId: TenantId, id: string): Promise<void> {
  if (!(await connections.in(tenantId).get(id))) throw invalidField('connectionId', 'is no connection of this tenant');
}

export const createAuthKey = ({ authKeys, directory, connections, clock }: AuthKeyParts) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/auth-keys',
    summary: 'Name one of several connections by an auth_key; the first is `default`, which counts where none is given',
    action: 'connections:write',
    body: authKeySettings.extend({ authKey: keySchema, description: shape.description.default('') }),
    status: 201,
    response: authKeyView,
    async handle({ tenantId, body: { authKey: id, connectionId, description }, cause }) {
      await assertConnection(connections, tenantId, connectionId);
      const own = authKeys.in(tenantId);
      const { items } = await own.list('inOrder', {}, { limit: mostOfATenant });
      if (items.length >= mostOfATenant) throw new ProblemError('auth_key_limit');
      const others = items.map(item => item.id).filter(other => other !== id);
      assertDefaultFirst(id, others, 'create');
      const state = { connectionId, description, createdAt: clock.now().toISOString() };
      const entry = await own.change(id, known => (known ? null : create(id, state)), { cause });
      const isSame = entry?.state.connectionId === connectionId && entry.state.description === description;
      // The same once more changes nothing: it may be a retry.
      if (!entry || !isSame) throw new ProblemError('auth_key_taken');
      directory.forget(tenantId);
      return { body: viewOf(entry), version: entry.version };
    },
  });
