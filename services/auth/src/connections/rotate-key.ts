import { ProblemError } from '@reeve/contracts';
import { readExisting, tenantRoute } from '@reeve/service-kit';
import type { Vault } from '@reeve/vault';
import { z } from 'zod';
import { type Connections, connectionView, rotateKey, secretNameOf, type ViewParts, viewOf } from './connection.ts';
import type { ChangeConnection } from './connection-changes.ts';
import { type ConnectionKind, connectionSecretClass, rotationSteps } from './kinds/kind.ts';

type Parts = ViewParts & { connections: Connections; changeConnection: ChangeConnection; vault: Vault };

export const rotateConnectionKey = ({ connections, changeConnection, vault, ...parts }: Parts) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/sso-connections/{connectionId}:rotate-key',
    summary:
      'Change the key that is ours towards the identity provider, in three steps: publish the new certificate, ' +
      'use its key, finish with the old one',
    action: 'connections:write',
    versioned: true,
    body: z.strictObject({ step: z.enum(rotationSteps) }),
    response: connectionView(parts.kinds),
    async handle({ tenantId, params: { connectionId: id }, body: { step }, cause, expectedVersion }) {
      const { state, version } = await readExisting(connections.in(tenantId), id);
      const kind: ConnectionKind = parts.kinds[state.kind];
      if (!kind.rotateKey)
        throw new ProblemError('connection_unsupported', `a connection of kind ${state.kind} has none`);
      const ref = { secretClass: connectionSecretClass, id: secretNameOf(id, state) };
      const readSecret = async () =>
        (await vault.read(tenantId, ref, { cause, purpose: 'rotate_key' })).toString('utf8');
      const { settings, secret } = await kind.rotateKey(state.settings, { step, readSecret });
      const change = { settings, ...(secret === null ? {} : { secretSetAt: parts.clock.now().toISOString() }) };
      const entry = await changeConnection({ tenantId, id }, was => rotateKey(id, was, { step, ...change }), {
        cause,
        because: 'key_rotated',
        expectedVersion: expectedVersion ?? version,
        secret,
      });
      if (!entry) throw new ProblemError('not_found');
      return { body: viewOf(entry, parts), version: entry.version };
    },
  });
